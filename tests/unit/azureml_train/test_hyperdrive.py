"""What a sweep is made of: expressions, sampling, policies, and the configuration over them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from azureml.core import ScriptRunConfig
from azureml.core._experiment_method import get_submit_function
from azureml.exceptions import AzureMLException
from azureml.train import hyperdrive
from azureml.train.estimator import Estimator
from azureml.train.hyperdrive import (
    BanditPolicy,
    BayesianParameterSampling,
    GridParameterSampling,
    HyperDriveConfig,
    HyperDriveRunConfig,
    MedianStoppingPolicy,
    NoTerminationPolicy,
    PrimaryMetricGoal,
    RandomParameterSampling,
    TruncationSelectionPolicy,
    choice,
    lognormal,
    loguniform,
    normal,
    qlognormal,
    qloguniform,
    qnormal,
    quniform,
    randint,
    uniform,
)
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException, HyperDriveNotImplementedException


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (choice(1, 2), ["choice", [[1, 2]]]),
        (choice([1, "a"]), ["choice", [[1, "a"]]]),
        (choice(range(3)), ["choice", [[0, 1, 2]]]),
        (choice(5), ["choice", [[5]]]),
        (choice([1], [2]), ["choice", [[[1], [2]]]]),
        (randint(3), ["randint", [3]]),
        (uniform(0, 0.5), ["uniform", [0, 0.5]]),
        (quniform(1, 9, 2.0), ["quniform", [1, 9, 2.0]]),
        (loguniform(-3, -3), ["loguniform", [-3, -3]]),
        (qloguniform(0, 1, 0.5), ["qloguniform", [0, 1, 0.5]]),
        (normal(0, 0), ["normal", [0, 0]]),
        (qnormal(1, 2, 3), ["qnormal", [1, 2, 3]]),
        (lognormal(1, 2), ["lognormal", [1, 2]]),
        (qlognormal(1, 2, 3), ["qlognormal", [1, 2, 3]]),
    ],
)
def test_an_expression_is_a_plain_list(made: Any, expected: Any) -> None:
    assert made == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: choice(),
        lambda: choice([]),
        lambda: choice(range(0)),
        lambda: randint(0),
        lambda: randint(1.5),  # type: ignore[arg-type]
        lambda: uniform(1, 1),
        lambda: uniform("0", 1),  # type: ignore[arg-type]
        lambda: uniform(float("nan"), 1),
        lambda: quniform(0, 1, 0.5),
        lambda: quniform(0, 1, 0),
        lambda: loguniform(2, 1),
        lambda: qloguniform(0, 1, 0),
        lambda: normal(0, -1),
        lambda: qnormal(0, 1, "1"),  # type: ignore[arg-type]
        lambda: lognormal(None, 1),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_expression_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(HyperDriveConfigException, match=r"choice|randint|uniform|normal"):
        make()


def test_samplings_are_json() -> None:
    space = {"--lr": choice(1, 2), "--n": choice("a", "b")}
    assert GridParameterSampling(space).to_json() == {"name": "GRID", "parameter_space": space}
    assert RandomParameterSampling({"a": 3}, {"seed": 1}).to_json() == {
        "name": "RANDOM",
        "parameter_space": {"a": 3},
        "properties": {"seed": 1},
    }
    wide = {"a": quniform(1, 100_000, 1), "b": uniform(0, 1), "c": choice(1, 0.5)}
    assert BayesianParameterSampling(wide).to_json()["name"] == "BayesianOptimization"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GridParameterSampling({"a": uniform(0, 1)}), "GridParameterSampling can't choose from the expression 'uniform'"),
        (lambda: GridParameterSampling({"a": 3}), "the value 3"),
        (lambda: GridParameterSampling([1]), "must be a dictionary"),  # type: ignore[arg-type]
        (lambda: BayesianParameterSampling(None), "needs a parameter_space"),  # type: ignore[arg-type]
        (lambda: BayesianParameterSampling({"a": normal(0, 1)}), "'normal'"),
        (lambda: BayesianParameterSampling({"a": choice(1, "b")}), "all numbers, or all texts"),
        (lambda: BayesianParameterSampling({"a": choice([1], [2])}), "all numbers, or all texts"),
        (lambda: BayesianParameterSampling({"a": quniform(0.5, 9, 1)}), "whole numbers"),
        (lambda: BayesianParameterSampling({"a": quniform(0, 200_000, 1)}), "more than 100000"),
    ],
)
def test_a_space_that_a_sampling_cannot_choose_from(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(HyperDriveConfigException, match=message):
        make()


def test_policies_are_json() -> None:
    bandit = BanditPolicy(evaluation_interval=2, slack_amount=0, delay_evaluation=3)
    assert bandit.to_json() == {"name": "Bandit", "properties": {"evaluation_interval": 2, "delay_evaluation": 3, "slack_amount": 0}}
    assert (bandit.slack_factor, bandit.slack_amount, bandit.evaluation_interval, bandit.delay_evaluation) == (None, 0, 2, 3)
    assert MedianStoppingPolicy().to_json() == {"name": "MedianStopping", "properties": {"evaluation_interval": 1, "delay_evaluation": 0}}
    truncation = TruncationSelectionPolicy(20)
    assert (truncation.to_json()["name"], truncation.truncation_percentage) == ("TruncationSelection", 20)
    assert NoTerminationPolicy().to_json() == {"name": "Default"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: BanditPolicy(),
        lambda: BanditPolicy(slack_factor=0.1, slack_amount=0.1),
        lambda: BanditPolicy(slack_factor="0.1"),  # type: ignore[arg-type]
        lambda: BanditPolicy(evaluation_interval=1.5, slack_factor=0.1),  # type: ignore[arg-type]
        lambda: MedianStoppingPolicy(0),
        lambda: MedianStoppingPolicy(1, -1),
        lambda: TruncationSelectionPolicy(0),
        lambda: TruncationSelectionPolicy(100),
        lambda: TruncationSelectionPolicy(1.5),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_policy_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(HyperDriveConfigException):
        make()


@pytest.fixture
def members(tmp_path: Path) -> Dict[str, Any]:
    (tmp_path / "train.py").write_text("")
    return {
        "hyperparameter_sampling": RandomParameterSampling({"--lr": uniform(0, 1)}),
        "primary_metric_name": "loss",
        "primary_metric_goal": PrimaryMetricGoal.from_str("Minimize"),
        "max_total_runs": 4,
        "run_config": ScriptRunConfig(str(tmp_path), "train.py"),
    }


def test_a_configuration_knows_what_runs(members: Dict[str, Any], tmp_path: Path) -> None:
    config = HyperDriveConfig(**members)
    assert (config.run_config, config.estimator, config.pipeline) == (members["run_config"], None, None)
    assert config.source_directory == str(tmp_path)
    document = config._document()
    assert (document["max_concurrent_runs"], document["max_duration_minutes"]) == (4, 10080)
    assert (document["primary_metric_goal"], document["policy"]) == ("minimize", {"name": "Default"})
    estimator = Estimator(str(tmp_path), entry_script="train.py", compute_target="local")
    old = HyperDriveRunConfig(
        estimator, members["hyperparameter_sampling"], "loss", PrimaryMetricGoal.MAXIMIZE, max_total_runs=3, max_concurrent_runs=2
    )
    assert type(old) is HyperDriveConfig
    assert (old.estimator, old.run_config, old._document()["max_concurrent_runs"]) == (estimator, estimator.run_config, 2)


def test_what_a_configuration_refuses(members: Dict[str, Any]) -> None:
    wrong: List[Any] = [
        ({"run_config": None}, "exactly one of estimator, run_config, pipeline; it has none"),
        ({"estimator": "e"}, "it has estimator and run_config"),
        ({"run_config": "train.py"}, "must be a ScriptRunConfig"),
        ({"run_config": None, "estimator": "e"}, "must be an Estimator"),
        ({"hyperparameter_sampling": None}, "hyperparameter_sampling must be"),
        ({"primary_metric_name": ""}, "primary_metric_name"),
        ({"primary_metric_goal": "maximize"}, "PrimaryMetricGoal.MAXIMIZE"),
        ({"policy": "bandit"}, "policy must be"),
        ({"max_total_runs": 0}, "max_total_runs"),
        ({"max_concurrent_runs": True}, "max_concurrent_runs"),
        ({"max_duration_minutes": "1"}, "max_duration_minutes"),
    ]
    for changed, message in wrong:
        with pytest.raises(HyperDriveConfigException, match=message):
            HyperDriveConfig(**{**members, **changed})
    with pytest.raises(NotImplementedError, match="resume_from"):
        HyperDriveConfig(**members, resume_from="run")
    with pytest.raises(ValueError, match="'maximize' or 'minimize'"):
        PrimaryMetricGoal.from_str("most")


def test_advice_is_given_and_a_week_is_the_longest(members: Dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    members["hyperparameter_sampling"] = BayesianParameterSampling({"a": choice(1, 2)})
    config = HyperDriveConfig(**{**members, "max_total_runs": 30}, max_duration_minutes=20_000)
    assert config._document()["max_duration_minutes"] == 10_080
    assert "cut from 20000" in caplog.text
    assert "at most 20 is advised" in caplog.text


def test_a_sweep_cannot_be_submitted_yet(members: Dict[str, Any]) -> None:
    submit = get_submit_function(HyperDriveConfig(**members))
    with pytest.raises(NotImplementedError, match="Submitting a HyperDriveConfig is not part of this version"):
        submit(HyperDriveConfig(**members), None, "e")
    with pytest.raises(NotImplementedError, match="HyperDriveRun is not part"):
        hyperdrive.HyperDriveRun(None, "id")  # type: ignore[call-arg]


def test_names_are_where_scripts_look() -> None:
    for module, names in (
        ("parameter_expressions", "choice uniform"),
        ("policy", "BanditPolicy EarlyTerminationPolicy"),
        ("run", "HyperDriveRun PrimaryMetricGoal"),
        ("runconfig", "HyperDriveConfig HyperDriveRunConfig PrimaryMetricGoal"),
        ("sampling", "RandomParameterSampling HyperParameterSampling"),
    ):
        for name in names.split():
            assert getattr(importlib.import_module(f"azureml.train.hyperdrive.{module}"), name) is getattr(hyperdrive, name)
    error = HyperDriveNotImplementedException("no")
    assert isinstance(error, HyperDriveConfigException)
    assert isinstance(error, AzureMLException)
    assert (error.message, error.error_code) == ("no", "HyperDriveNotImplemented")
