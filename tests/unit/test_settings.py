from pathlib import Path

import pytest

from penstock.client.home import Home
from penstock.model.errors import Invalid
from penstock.settings import Settings, load_settings


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"step_slots": 3, "idle_seconds": 60}')
    settings = load_settings(Home(tmp_path), {"PENSTOCK_STEP_SLOTS": "5"})
    assert (settings.step_slots, settings.idle_seconds) == (5, 60.0)
    assert settings.log_level == Settings().log_level


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"step_slots": 0}', "'step_slots' must be a whole number above 0, not 0"),
        ('{"idle_seconds": "soon"}', "'idle_seconds' must be a number of seconds above 0, not 'soon'"),
        ('{"environment_policy": "compatable"}', "one of exact, compatible, current"),
        ('{"log_level": "LOUD"}', "one of DEBUG"),
        ('{"stepslots": 1}', "no setting 'stepslots'"),
        ("[1]", "must hold a JSON object"),
        ("{", "is not JSON"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(Invalid, match=words):
        load_settings(Home(tmp_path), {})
