"""What a step's command becomes when it starts."""

from __future__ import annotations

import shlex
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.orders import expand_command
from penstock.model.graph import LINE

PATHS = {"data": "/some/place", "odd": "/a place/it's"}


def test_a_program_gets_its_arguments() -> None:
    command = ("cat", "DatasetConsumptionConfig:odd", "$NAME/x", "${NAME}", "$OTHER")
    assert expand_command(command, {"NAME": "value"}, PATHS) == ("cat", PATHS["odd"], "value/x", "value", "$OTHER")


def test_a_line_is_left_to_the_shell() -> None:
    *shell, line = expand_command(
        (*LINE, "cat DatasetConsumptionConfig:data/x > DatasetOutputConfig:odd; echo $NAME"), {"NAME": "v"}, PATHS
    )
    assert line == f"cat /some/place/x > {shlex.quote(PATHS['odd'])}; echo $NAME"
    assert shell[1:] == ["-c"]


def test_what_has_no_path_stays() -> None:
    assert expand_command((*LINE, "DatasetOutputConfig:unknown"), {}, PATHS)[-1] == "DatasetOutputConfig:unknown"


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_path_reaches_the_program_whatever_it_is(path: str) -> None:
    command = expand_command((*LINE, "printf %s DatasetConsumptionConfig:data"), {}, {"data": path})
    assert subprocess.run(command, capture_output=True, check=True).stdout.decode() == path
