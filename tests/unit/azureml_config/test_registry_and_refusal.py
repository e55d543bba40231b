"""Names that refuse, objects that can be submitted, and small modules."""

from __future__ import annotations

import importlib.util
import logging
import pickle

import pytest

from azureml._restclient.constants import RunStatus
from azureml.core import _genuine
from azureml.core._experiment_method import ExperimentSubmitRegistrar, experiment_method, get_submit_function
from azureml.core._refusal import refuse_call, refuse_class
from azureml.core.compute_target import AbstractComputeTarget, LocalTarget
from azureml.core.profile import ModelProfile
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.core.runconfig import RunConfiguration
from azureml.core.util import NewLoggingLevel
from azureml.exceptions import AzureMLException
from azureml.telemetry import INSTRUMENTATION_KEY, get_event_logger, set_diagnostics_collection
from azureml.telemetry.activity import log_activity


class TestRefusal:
    def test_a_refused_class_takes_part_in_isinstance_and_refuses_the_rest(self):
        service = refuse_class("azureml.core.webservice.AciWebservice", "Serve the model yourself.")
        assert not isinstance(object(), service)
        assert service.__name__ == "AciWebservice"
        assert service.__module__ == "azureml.core.webservice"
        with pytest.raises(NotImplementedError, match=r"AciWebservice is not part .* Serve the model yourself\."):
            service("workspace", name="x")
        with pytest.raises(NotImplementedError, match=r"AciWebservice\.deploy_configuration is not part"):
            service.deploy_configuration(cpu_cores=1)

    def test_python_may_still_ask_a_refused_class_for_its_own_things(self):
        service = refuse_class("Webservice", "Serve the model yourself.")
        assert not hasattr(service, "__wrapped__")
        assert "Webservice" in repr(service)

    def test_a_refused_call_names_itself(self):
        with pytest.raises(NotImplementedError, match=r"^Model\.deploy is not part"):
            refuse_call("Model.deploy", "Serve the model yourself.")(1, two=2)

    def test_model_profiles_refuse(self):
        with pytest.raises(NotImplementedError, match="ModelProfile"):
            ModelProfile(None, "p")


class TestGenuine:
    @pytest.fixture
    def azure(self, tmp_path, monkeypatch):
        """A folder of Python's with azureml-core in it."""
        (tmp_path / "azureml" / "_base_sdk_common").mkdir(parents=True)
        (tmp_path / "azureml_core-1.60.0.dist-info").mkdir()
        monkeypatch.syspath_prepend(str(tmp_path))
        return tmp_path / "azureml"

    def test_it_is_found_without_importing_and_by_a_copy_that_is_loaded_by_its_path(self, azure):
        spec = importlib.util.spec_from_file_location("genuine_by_path", _genuine.__file__)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        assert loaded.find_genuine() == _genuine.find_genuine() == f"azureml-core 1.60.0 in {azure}"

    def test_nothing_is_found_where_there_is_nothing(self):
        assert _genuine.find_genuine() is None

    def test_the_refusal_says_what_can_be_done_without_an_index(self, azure):
        with pytest.raises(ImportError) as caught:
            _genuine.refuse([str(azure)])
        message = str(caught.value)
        assert "and in Penstock's folder:\n    pip install --force-reinstall --no-deps .\n" in message
        assert "no-deps penstock" not in message


def submit_base(config, workspace, experiment_name, **kwargs):
    return "base"


def submit_special(config, workspace, experiment_name, **kwargs):
    return "special"


class Base:
    @experiment_method(submit_function=submit_base)
    def __init__(self, value=1):
        self.value = value


class Plain(Base):
    pass


class Special(Base):
    @experiment_method(submit_function=submit_special)
    def __init__(self):
        super().__init__(2)


@experiment_method(submit_function=submit_special)
class Decorated:
    pass


class TestSubmitRegistry:
    def test_the_constructor_registers_the_class_and_keeps_its_signature(self):
        assert get_submit_function(Base(3)) is submit_base
        assert Base(3).value == 3

    def test_a_subclass_is_submitted_as_its_base_unless_it_says_otherwise(self):
        assert get_submit_function(Plain()) is submit_base
        assert get_submit_function(Special()) is submit_special

    def test_a_class_can_be_decorated(self):
        assert get_submit_function(Decorated()) is submit_special

    def test_an_object_that_was_never_constructed_here_is_known_too(self):
        class Fresh:
            @experiment_method(submit_function=submit_base)
            def __init__(self):
                raise AssertionError

        assert get_submit_function(Fresh.__new__(Fresh)) is submit_base
        assert get_submit_function(pickle.loads(pickle.dumps(Base()))) is submit_base  # noqa: S301

    def test_a_class_registered_by_hand(self):
        class Config:
            pass

        ExperimentSubmitRegistrar.register_submit_function(Config, submit_base)
        assert get_submit_function(Config()) is submit_base

    def test_unknown_objects_are_refused_with_a_hint(self):
        with pytest.raises(AzureMLException, match="A dict can't be submitted"):
            get_submit_function({})
        with pytest.raises(AzureMLException, match="ScriptRunConfig"):
            get_submit_function(RunConfiguration())


class TestSmallModules:
    def test_telemetry_accepts_everything_and_does_nothing(self, capsys):
        set_diagnostics_collection(send_diagnostics=True, verbosity=logging.DEBUG, reason="x", path="/nowhere")
        get_event_logger(instrumentation_key=INSTRUMENTATION_KEY).flush()
        with log_activity(None, "x"):
            pass
        assert capsys.readouterr() == ("", "")

    def test_run_status_words(self):
        assert RunStatus.COMPLETED == "Completed"
        assert RunStatus.FINALIZING not in RunStatus.get_running_statuses()

    def test_logging_level_is_put_back(self):
        logger = logging.getLogger("config-test")
        logger.setLevel(logging.ERROR)
        with NewLoggingLevel("config-test", logging.DEBUG):
            assert logger.level == logging.DEBUG
        assert logger.level == logging.ERROR

    def test_resource_configuration_round_trip(self):
        resources = ResourceConfiguration(cpu=1, memory_in_gb=0.5)
        assert resources.serialize() == {"cpu": 1, "memoryInGB": 0.5, "gpu": None}
        assert ResourceConfiguration.deserialize(resources.serialize()).memory_in_gb == 0.5
        assert ResourceConfiguration.deserialize(None) is None

    def test_local_target(self):
        assert (LocalTarget().type, LocalTarget().name) == ("local", "local")
        assert AbstractComputeTarget.deserialize_from_dict("x", {"type": "ssh"}).name == "x"
