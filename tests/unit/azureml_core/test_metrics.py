"""What is stored for what was logged, and how metrics come back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Dict, List

import pytest

from azureml.core._run_metrics import RunMetrics, is_image, scalar, scalars
from azureml.exceptions import AzureMLException, UserErrorException
from penstock.model.metrics import shape
from penstock.runtime import metrics


class Kept(RunMetrics):
    """A run that only keeps its records."""

    def __init__(self) -> None:
        self._run_id = "r"
        self.records: List[Dict[str, Any]] = []
        self.files: Dict[str, Any] = {}

    def _write_metric(self, record: Dict[str, Any]) -> None:
        self.records.append(json.loads(json.dumps(record)))

    def _store_file(self, name: str, path_or_stream: Any) -> None:
        self.files[name] = path_or_stream

    def shaped(self) -> Dict[str, Any]:
        return shape(self.records)


class Number:
    """Behaves like a scalar of numpy or torch."""

    shape = ()

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        return self.value


def test_values_are_kept_as_they_are() -> None:
    run = Kept()
    for name, value in {"i": 1, "f": 0.5, "s": "x", "b": True, "n": None}.items():
        run.log(name, value)
    assert [record["value"] for record in run.records] == [1, 0.5, "x", True, None]
    run.log("nan", math.nan)
    assert math.isnan(run.records[-1]["value"])


def test_numpy_scalars_become_numbers() -> None:
    assert scalar("m", Number(5)) == 5
    assert scalars("m", [Number(5), Number(0.5)]) == [5, 0.5]


def test_other_objects_become_their_text(caplog: pytest.LogCaptureFixture) -> None:
    assert scalar("m", (1, 2)) == "(1, 2)"
    assert scalar("m", {"a": 1}) == "{'a': 1}"
    assert "'m' is a tuple" in caplog.text


@pytest.mark.parametrize("value", [[1], range(3), (item for item in [1])])
def test_log_refuses_several_values(value: Any) -> None:
    with pytest.raises(UserErrorException, match="log_list"):
        Kept().log("m", value)


def test_huge_integer_is_refused() -> None:
    with pytest.raises(AzureMLException, match="too large"):
        Kept().log("m", 1 << 600)


def test_list_is_flat_and_an_empty_one_leaves_no_trace() -> None:
    run = Kept()
    run.log_list("m", [])
    assert run.records == []
    run.log_list("m", (item for item in (1, 2)))
    assert run.shaped() == {"m": [1, 2]}
    with pytest.raises(AzureMLException):
        run.log_list("m", [[1]])


def test_rows_and_tables() -> None:
    run = Kept()
    run.log_row("row", "", x=1, y="a")
    assert run.shaped()["row"] == {"x": 1, "y": "a"}
    run.log_row("row", x=2, y="b")
    assert run.shaped()["row"] == {"x": [1, 2], "y": ["a", "b"]}
    run.log_table("table", {"x": [1, 2], "y": [3, 4]})
    assert run.shaped()["table"] == {"x": [1, 2], "y": [3, 4]}
    with pytest.raises(AzureMLException):
        run.log_row("row", x=[1])


def test_unequal_columns_are_named() -> None:
    with pytest.raises(AzureMLException, match="'x' and 'y'"):
        Kept().log_table("t", {"x": [1, 2], "y": [1]})


def test_step_is_stored_and_several_values_make_a_list() -> None:
    run = Kept()
    run.log("m", 1, step=7)
    run.log("m", 2.5)
    assert run.records[0]["step"] == 7
    assert run.shaped() == {"m": [1.0, 2.5]}


def test_image_needs_exactly_one_source(tmp_path: Path) -> None:
    run = Kept()
    for given in ({}, {"path": "x", "plot": object()}):
        with pytest.raises(AzureMLException, match="either path or plot"):
            run.log_image("i", **given)  # type: ignore[arg-type]
    (tmp_path / "x.txt").write_text("no image")
    with pytest.raises(AzureMLException, match="no image file"):
        run.log_image("i", str(tmp_path / "x.txt"))


def test_image_file_is_stored_under_its_path(tmp_path: Path) -> None:
    (tmp_path / "figs").mkdir()
    (tmp_path / "figs" / "a.png").write_bytes(b"\x89PNG\r\n")
    run = Kept()
    run.log_image("i", "figs/a.png")
    assert run.files == {"figs/a.png": "figs/a.png"}
    assert run.shaped() == {"i": "aml://artifactId/ExperimentRun/dcid.r/figs/a.png"}
    assert is_image("figs/a.png")


def test_plot_saves_itself() -> None:
    class Plot:
        def savefig(self, path: str) -> None:
            Path(path).write_bytes(b"\x89PNG")

    run = Kept()
    run.log_image("fig", plot=Plot())
    (name,) = run.files
    assert name.startswith("fig_")
    assert name.endswith(".png")


def test_bad_json_metric_is_refused() -> None:
    with pytest.raises(UserErrorException, match="not valid JSON"):
        Kept().log_confusion_matrix("cm", "{")
    run = Kept()
    run.log_residuals("res", '{"data": {}}')
    assert run.shaped() == {"res": "aml://artifactId/ExperimentRun/dcid.r/res"}


def test_step_appends_lines_to_its_folder(tmp_path: Path) -> None:
    for number in range(3):
        metrics.append(str(tmp_path), {"name": "m", "value": number})
    lines = (tmp_path / metrics.FILE).read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [0, 1, 2]
    assert metrics.now().endswith("Z")
    assert len(metrics.now()) == len("2026-01-01T00:00:00.000000Z")
