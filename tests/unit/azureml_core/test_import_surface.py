"""Every name that scripts import is there, from every path; what is not built refuses when it is used, and only then."""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
from typing import Any

import pytest

SURFACE = {
    "azureml.core": "Workspace Experiment Run Environment Dataset Datastore ScriptRunConfig Model RunConfiguration ComputeTarget VERSION "
    "__version__ get_run Keyvault ContainerRegistry ScriptRun LinkedService diagnostic_log prepare_compute_target "
    "is_compute_target_prepared attach_legacy_compute_target remove_legacy_compute_target PrivateEndPoint PrivateEndPointConfig "
    "SynapseWorkspaceLinkedServiceConfiguration Webservice Image",
    "azureml.core.workspace": "Workspace",
    "azureml.core.experiment": "Experiment",
    "azureml.core.run": "Run _OfflineRun _SubmittedRun get_run",
    "azureml.core.dataset": "Dataset",
    "azureml.core.datastore": "Datastore",
    "azureml.core.environment": "Environment CondaDependencies DEFAULT_CPU_IMAGE",
    "azureml.core.script_run_config": "ScriptRunConfig",
    "azureml.core.keyvault": "Keyvault KeyVaultContentType",
    "azureml.core.script_run": "ScriptRun",
    "azureml.core.runconfig": "RunConfiguration DEFAULT_CPU_IMAGE DEFAULT_GPU_IMAGE CondaDependencies DockerConfiguration MpiConfiguration "
    "PyTorchConfiguration TensorflowConfiguration DataReferenceConfiguration EnvironmentDefinition JarLibrary PyPiLibrary EggLibrary "
    "MavenLibrary RCranLibrary MPI_CPU_IMAGE MPI_GPU_IMAGE",
    "azureml.core.conda_dependencies": "CondaDependencies",
    "azureml.core.compute": "ComputeTarget AmlCompute AksCompute ComputeInstance DataFactoryCompute DatabricksCompute RemoteCompute "
    "AdlaCompute BatchCompute DsvmCompute HDInsightCompute KubernetesCompute KustoCompute SynapseCompute",
    "azureml.core.compute_target": "ComputeTargetException AbstractComputeTarget LocalTarget",
    "azureml.core.authentication": "ServicePrincipalAuthentication InteractiveLoginAuthentication AzureCliAuthentication MsiAuthentication "
    "TokenAuthentication Audience AuthenticationException ArmTokenAuthentication AzureMLTokenAuthentication AbstractAuthentication",
    "azureml.core.model": "Model InferenceConfig",
    "azureml.core.webservice": "AciWebservice Webservice AksWebservice LocalWebservice",
    "azureml.core.image": "ContainerImage Image",
    "azureml.core.container_registry": "ContainerRegistry",
    "azureml.core.resource_configuration": "ResourceConfiguration",
    "azureml.data": "OutputFileDatasetConfig TabularDataset FileDataset DataType HDFSOutputDatasetConfig LinkFileOutputDatasetConfig "
    "LinkTabularOutputDatasetConfig DatacacheStore",
    "azureml.data.data_reference": "DataReference",
    "azureml.data.datapath": "DataPath DataPathComputeBinding",
    "azureml.data.dataset_consumption_config": "DatasetConsumptionConfig",
    "azureml.data.output_dataset_config": "OutputFileDatasetConfig OutputTabularDatasetConfig OutputDatasetConfig",
    "azureml.data.dataset_factory": "TabularDatasetFactory FileDatasetFactory DataType",
    "azureml.data.dataset_type_definitions": "PromoteHeadersBehavior FileEncoding SkipLinesBehavior HistogramCompareMethod FileType",
    "azureml.data.azure_storage_datastore": "AzureBlobDatastore AzureFileDatastore AbstractAzureStorageDatastore",
    "azureml.data.sql_data_reference": "SqlDataReference",
    "azureml.data.stored_procedure_parameter": "StoredProcedureParameter StoredProcedureParameterType",
    "azureml.data.tabular_dataset": "TabularDataset",
    "azureml.data.file_dataset": "FileDataset",
    "azureml.data.abstract_dataset": "AbstractDataset",
    "azureml.data.abstract_datastore": "AbstractDatastore",
    "azureml.data.datastore_client": "",
    "azureml.data.constants": "",
    "azureml.exceptions": "AzureMLException AzureMLAggregatedException UserErrorException AuthenticationException ActivityFailedException "
    "ComputeTargetException DiscoveryUrlNotFoundException ExperimentExecutionException ProjectSystemException RunConfigurationException "
    "SnapshotException TrainingException RunEnvironmentException WorkspaceException WorkspacePrivateEndpointException WebserviceException "
    "ModelNotFoundException ModelPathNotFoundException DatasetTimestampMissingError ParallelRunException ServiceException",
    "azureml._restclient.constants": "RunStatus",
    "azureml._restclient.models.create_run_dto": "CreateRunDto",
    "azureml._restclient.snapshots_client": "SNAPSHOT_MAX_SIZE_BYTES",
    "azureml.train.estimator": "Estimator MMLBaseEstimator",
    "azureml.train.dnn": "TensorFlow PyTorch Chainer Mpi Nccl Gloo ParameterServer",
    "azureml.train.sklearn": "SKLearn",
    "azureml.train.hyperdrive": "HyperDriveConfig HyperDriveRun RandomParameterSampling BanditPolicy PrimaryMetricGoal choice uniform",
    "azureml.train.hyperdrive.parameter_expressions": "choice uniform",
    "azureml.train.hyperdrive.policy": "BanditPolicy",
    "azureml.train.hyperdrive.run": "PrimaryMetricGoal",
    "azureml.train.hyperdrive.runconfig": "HyperDriveConfig",
    "azureml.train.hyperdrive.sampling": "RandomParameterSampling",
    "azureml.train.automl": "AutoMLConfig",
    "azureml.train.automl.utilities": "get_primary_metrics",
    "azureml.widgets": "RunDetails",
    "azureml.telemetry": "set_diagnostics_collection INSTRUMENTATION_KEY get_event_logger loggers activity",
    "azureml.telemetry.activity": "log_activity ActivityType",
    "azureml.opendatasets": "MNIST Diabetes NycTlcGreen NycTlcYellow OjSalesSimulated PublicHolidays NoaaIsdWeather",
    "azureml.mlflow": "get_mlflow_tracking_uri",
    "azureml.interpret": "ExplanationClient",
    "azureml.interpret.scoring.scoring_explainer": "TreeScoringExplainer save",
    "azureml.monitoring": "ModelDataCollector",
    "azureml.datadrift": "DataDriftDetector AlertConfiguration",
    "azureml.tensorboard": "Tensorboard",
    "azureml.contrib.services.aml_request": "AMLRequest rawhttp",
    "azureml.contrib.services.aml_response": "AMLResponse",
    "azureml.contrib.fairness": "upload_dashboard_dictionary download_dashboard_by_upload_id",
    "azureml.contrib.notebook": "NotebookRunConfig NotebookRunnerStep AzureMLNotebookHandler",
    "azureml.contrib.pipeline.steps": "ParallelRunConfig ParallelRunStep",
    "azureml.contrib.interpret.explanation.explanation_client": "ExplanationClient",
}

# What this version has not, and how scripts use it.
REFUSED = [
    ("azureml.core.webservice.AciWebservice", lambda found: found.deploy(None, "service", [], None)),
    ("azureml.core.image.ContainerImage", lambda found: found.create(None, "image", [], None)),
    ("azureml.monitoring.ModelDataCollector", lambda found: found("model", designation="inputs")),
    ("azureml.datadrift.DataDriftDetector", lambda found: found.create_from_datasets(None, "name", None, None)),
    ("azureml.tensorboard.Tensorboard", lambda found: found([])),
    ("azureml.contrib.services.aml_response.AMLResponse", lambda found: found("text", 200)),
    ("azureml.contrib.fairness.upload_dashboard_dictionary", lambda found: found(None, {})),
    ("azureml.contrib.notebook.NotebookRunnerStep", lambda found: found(name="x")),
    ("azureml.train.automl.utilities.get_primary_metrics", lambda found: found("classification")),
    ("azureml.interpret.scoring.scoring_explainer.save", lambda found: found(None)),
]


@pytest.mark.parametrize("module", SURFACE)
def test_every_name_is_there(module: str) -> None:
    found = importlib.import_module(module)
    for name in SURFACE[module].split():
        assert getattr(found, name, None) is not None, name


FIRST = """azureml.core azureml.core.run azureml.core.model azureml.core.compute azureml.core.webservice azureml.core.authentication
azureml.data azureml.exceptions azureml.train.estimator azureml.train.dnn azureml.widgets azureml.telemetry azureml.interpret"""


@pytest.mark.parametrize("module", FIRST.split())
def test_a_path_works_as_the_first_import_of_a_process_and_loads_nothing_heavy(module: str) -> None:
    code = (
        f"import sys; import {module}; "
        "heavy = {'pandas', 'numpy', 'pyarrow', 'fsspec', 'matplotlib', 'requests', 'starlette', 'sqlalchemy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_one_class_under_all_its_names() -> None:
    from azureml.contrib.interpret.explanation.explanation_client import ExplanationClient
    from azureml.core import Keyvault, Run, Workspace
    from azureml.core.compute_target import ComputeTargetException
    from azureml.train.hyperdrive.runconfig import HyperDriveConfig

    assert importlib.import_module("azureml.core.keyvault").Keyvault is Keyvault
    assert importlib.import_module("azureml.core.run").Run is Run
    assert importlib.import_module("azureml.core.workspace").Workspace is Workspace
    assert importlib.import_module("azureml.exceptions").ComputeTargetException is ComputeTargetException
    assert importlib.import_module("azureml.interpret").ExplanationClient is ExplanationClient
    assert importlib.import_module("azureml.train.hyperdrive").HyperDriveConfig is HyperDriveConfig


@pytest.mark.parametrize(("name", "use"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_is_not_built_says_so_when_it_is_used(name: str, use: Any) -> None:
    module, _, short = name.rpartition(".")
    found = getattr(importlib.import_module(module), short)
    with pytest.raises(NotImplementedError, match=rf"{short}.* is not part of this version of Penstock\. \S+"):
        use(found)
    if isinstance(found, type):
        assert not isinstance("anything", found)


def test_the_first_cell_of_deployment_notebooks() -> None:
    code = """
import azureml.core
from azureml.core import Workspace, Experiment, Run, Model, Environment, Image, Webservice
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AciWebservice, AksWebservice, LocalWebservice, Webservice
from azureml.core.image import ContainerImage, Image
from azureml.core.conda_dependencies import CondaDependencies
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
print("SDK version:", azureml.core.VERSION)

@rawhttp
def run(request):
    return request

assert run(3) == 3
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "SDK version: 1.61.0\n"


def test_the_version_parses_and_is_v1s() -> None:
    import azureml.core

    major, minor, patch = (int(part) for part in azureml.core.VERSION.split("."))
    assert (major, minor, patch) >= (1, 61, 0)
    assert azureml.core.__version__ == azureml.core.VERSION


def test_telemetry_takes_anything_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    from azureml import telemetry

    for arguments in ((), (True,), (False, logging.DEBUG, "reason", "path")):
        assert telemetry.set_diagnostics_collection(*arguments) is None
    telemetry.set_diagnostics_collection(send_diagnostics=True, something_else=1)
    events = telemetry.get_event_logger(instrumentation_key=telemetry.INSTRUMENTATION_KEY)
    assert events.log_event("event", key="value") == ""
    events.flush()
    with telemetry.activity.log_activity(logging.getLogger("x"), "name", custom_dimensions={"a": 1}) as logger:
        assert logger is logging.getLogger("x")
    assert isinstance(telemetry.get_telemetry_log_handler(), logging.Handler)
    assert telemetry.loggers.Loggers.default_logger().log_metric("m", 1) == ""
    assert capsys.readouterr() == ("", "")
