"""ParallelRunConfig: what it accepts, and that its files say the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azureml.core import Environment
from azureml.pipeline.core import PipelineParameter
from azureml.pipeline.steps import ParallelRunConfig


def config(**changed: Any) -> ParallelRunConfig:
    members: Dict[str, Any] = {
        "environment": Environment("batch"),
        "entry_script": " score.py ",
        "error_threshold": -1,
        "output_action": "Append_Row",
        "compute_target": "gpu",
        "node_count": 2,
    }
    return ParallelRunConfig(**{**members, **changed})


def test_what_is_given_is_put_into_its_one_form() -> None:
    found = config(logging_level="debug", mini_batch_size="10kb", environment_variables={"A": "b"})
    assert (found.entry_script, found.output_action, found.logging_level) == ("score.py", "append_row", "DEBUG")
    assert (found.mini_batch_size, found.run_invocation_timeout, found.run_max_try) == (10240, 60, 3)
    assert config().environment_variables == {}
    found.environment_variables = None  # type: ignore[assignment]
    assert found.environment_variables == {}


@pytest.mark.parametrize(("text", "size"), [("7", 7), ("1KB", 1024), ("2mb", 2 << 20), ("1Gb", 1 << 30), (5, 5)])
def test_sizes_of_mini_batches(text: Any, size: int) -> None:
    assert config(mini_batch_size=text).mini_batch_size == size


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment", None),
        ("environment", "batch"),
        ("entry_script", ""),
        ("entry_script", None),
        ("error_threshold", -2),
        ("error_threshold", "1"),
        ("error_threshold", True),
        ("output_action", "append"),
        ("output_action", None),
        ("compute_target", None),
        ("node_count", 0),
        ("node_count", "2"),
        ("node_count", PipelineParameter("n", 0)),
        ("process_count_per_node", 0),
        ("mini_batch_size", "10 kilobytes"),
        ("mini_batch_size", 0),
        ("mini_batch_size", 1.5),
        ("source_directory", " "),
        ("logging_level", "LOUD"),
        ("run_invocation_timeout", 0),
        ("run_max_try", 0),
        ("append_row_file_name", "a/b.txt"),
        ("append_row_file_name", ""),
        ("allowed_failed_count", -2),
        ("allowed_failed_percent", 101),
        ("allowed_failed_percent", "5"),
        ("partition_keys", "day"),
        ("partition_keys", []),
        ("partition_keys", [1]),
        ("partition_keys", PipelineParameter("k", "day")),
        ("environment_variables", ["A"]),
    ],
)
def test_a_wrong_value_is_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name if name != "environment" else "needs an Environment"):
        config(**{name: value})


def test_the_input_is_divided_in_one_way() -> None:
    with pytest.raises(ValueError, match="partition_keys and mini_batch_size"):
        config(partition_keys=["day"], mini_batch_size=3)
    assert config(partition_keys=PipelineParameter("k", '["day"]')).partition_keys.name == "k"


def test_a_cluster_has_so_many_nodes() -> None:
    class Scale:
        maximum_node_count = 3

    class Cluster:
        name, scale_settings = "small", Scale()

    assert config(compute_target=Cluster(), node_count=3).node_count == 3
    with pytest.raises(ValueError, match="'small' has at most 3 nodes"):
        config(compute_target=Cluster(), node_count=4)


def shown(found: ParallelRunConfig) -> Dict[str, Any]:
    members = {name: value for name, value in vars(found).items() if name != "environment"}
    return {**members, "environment": found.environment._to_document()}


@settings(max_examples=25)
@given(
    changed=st.fixed_dictionaries(
        {},
        optional={
            "node_count": st.integers(1, 9),
            "process_count_per_node": st.integers(1, 9),
            "error_threshold": st.integers(-1, 10**9),
            "logging_level": st.sampled_from(["WARNING", "INFO", "DEBUG"]),
            "run_max_try": st.integers(1, 9),
            "output_action": st.sampled_from(["append_row", "summary_only"]),
            "append_row_file_name": st.text("abc .-äé", min_size=1).filter(str.strip),
            "allowed_failed_count": st.integers(-1, 99),
            "allowed_failed_percent": st.floats(0, 100),
            "description": st.text(max_size=30).filter(str.isprintable),
            "mini_batch_size": st.integers(1, 1 << 40),
            "environment_variables": st.dictionaries(st.text("ABC_", min_size=1), st.text("xyz: '\"#", max_size=9)),
        },
    )
)
def test_what_a_file_says_is_what_was_saved(tmp_path_factory: pytest.TempPathFactory, changed: Dict[str, Any]) -> None:
    path = str(tmp_path_factory.mktemp("config") / "run.yml")
    before = config(**changed)
    before.save_to_yaml(path)
    assert shown(ParallelRunConfig.load_yaml(Known(), path)) == shown(before)


class Known:
    """A workspace, as far as loading looks at it."""

    name = "unit"
    compute_targets = {"gpu": object()}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        (tmp_path / "run.yml").write_text(text)
        return str(tmp_path / "run.yml")

    return write


REST = "  error_threshold: 1\n  output_action: summary_only\n  compute_target_name: gpu\n  node_count: 1\n  entry_script: a.py\n"


def test_the_environment_lies_in_the_file_beside_it_or_in_a_folder(write: Any, tmp_path: Path) -> None:
    Environment("here").save_to_directory(str(tmp_path / "folder"))
    (tmp_path / "env.yml").write_text("name: beside\n")
    (tmp_path / "code").mkdir()
    for lines, name in (
        ("  environment: {name: inline, version: null}\n", "inline"),
        ("  environment: env.yml\n", "beside"),
        ("  environment_dir_path: folder\n", "here"),
    ):
        found = ParallelRunConfig.load_yaml(Known(), write(f"parallel_run_config:\n{REST}  source_directory: code\n{lines}"))
        assert type(found) is ParallelRunConfig
        assert found.environment.name == name
        assert os.path.samefile(str(found.source_directory), tmp_path / "code"), "beside the file, where it is not in the current folder"


WRONG: List[Any] = [
    ("a: 1", "top key must be 'parallel_run_config'"),
    ("[1]", "top key must be"),
    ("parallel_run_config: {entry_script: a.py}", "lacks error_threshold, output_action, node_count, compute_target_name"),
    ("parallel_run_config:\n" + REST, "names no environment"),
    ("parallel_run_config:\n" + REST.replace(": 1", ": one") + "  environment: {name: a}\n", "must be a whole number"),
    ("parallel_run_config:\n" + REST.replace("gpu", "gpuu") + "  environment: {name: a}\n", "Did you mean 'gpu'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_file_that_is_none_says_why(write: Any, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParallelRunConfig.load_yaml(Known(), write(text))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.yml"):
        ParallelRunConfig.load_yaml(Known(), "nothing.yml")
