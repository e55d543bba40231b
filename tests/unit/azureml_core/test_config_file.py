"""Where the workspace's configuration is looked for, and what may stand in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azureml.core import _config_file
from azureml.core._config_file import Identity
from azureml.exceptions import UserErrorException

NAMES = {"subscription_id": "s", "resource_group": "g", "workspace_name": "wsp"}


def put(path: Path, content: object = NAMES) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def test_kind_of_folder_comes_before_distance(tmp_path: Path) -> None:
    here = tmp_path / "a" / "b"
    plain = put(here / "config.json")
    assert _config_file.find(str(here)) == plain
    old = put(tmp_path / "a" / "aml_config" / "project.json")
    assert _config_file.find(str(here)) == old
    new = put(tmp_path / ".azureml" / "config.json")
    assert _config_file.find(str(here)) == new


def test_config_json_comes_before_project_json(tmp_path: Path) -> None:
    project = put(tmp_path / ".azureml" / "project.json")
    assert _config_file.find(str(tmp_path)) == project
    config = put(tmp_path / ".azureml" / "config.json")
    assert _config_file.find(str(tmp_path)) == config


def test_named_file_is_used_alone(tmp_path: Path) -> None:
    put(tmp_path / ".azureml" / "config.json")
    named = put(tmp_path / "mine.json")
    assert _config_file.find(named) == named
    assert _config_file.find(str(tmp_path), "mine.json") == named


def test_mistyped_file_finds_a_parents_config_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = put(tmp_path / ".azureml" / "config.json")
    assert _config_file.find(str(tmp_path / "confg.json")) == found
    assert "confg.json" in caplog.text


def test_scope_wins(tmp_path: Path) -> None:
    scope = "/subscriptions/S1/resourceGroups/G1/providers/Microsoft.MachineLearningServices/workspaces/W1"
    assert _config_file.read(put(tmp_path / "c.json", {**NAMES, "Id": None, "Scope": scope})) == ("S1", "G1", "W1")


@pytest.mark.parametrize("content", [{"subscription_id": "s"}, [], {"Scope": "/subscriptions/x"}, {**NAMES, "resource_group": 3}])
def test_incomplete_file_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(UserErrorException):
        _config_file.read(put(tmp_path / "c.json", content))


def test_server_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserErrorException, match=r"https://host"):
        _config_file.read(put(tmp_path / "c.json", {**NAMES, "endpoint": "https://host"}))


def test_written_file_is_found_and_holds_both_forms(tmp_path: Path) -> None:
    written = _config_file.write(Identity("s", "g", "wsp"), str(tmp_path))
    assert written == str(tmp_path / ".azureml" / "config.json") == _config_file.find(str(tmp_path))
    content = json.loads(Path(written).read_text())
    assert content["workspace_name"] == "wsp"
    assert content["Scope"].endswith("/workspaces/wsp")
    assert _config_file.read(written) == ("s", "g", "wsp")


def test_old_folder_and_file_name_are_kept(tmp_path: Path) -> None:
    (tmp_path / "aml_config").mkdir()
    assert _config_file.write(Identity("s", "g", "wsp"), str(tmp_path), "x.txt") == str(tmp_path / "aml_config" / "x.json")


def test_mistyped_file_is_named_where_there_is_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _config_file.find(str(tmp_path / "nope.json"), "such_a_file_is_nowhere.json") is None
    assert str(tmp_path / "nope.json") in caplog.text


def test_a_folder_without_a_file_is_no_mistake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _config_file.find(str(tmp_path), "such_a_file_is_nowhere.json") is None
    assert caplog.text == ""
