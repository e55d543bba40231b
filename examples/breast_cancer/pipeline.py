"""Which model tells malignant tumours from benign ones: a pipeline of five steps.

prepare -> features -> train_linear  -> compare
                    -> train_forest  ->

python pipeline.py
python pipeline.py --trees 400
"""

import argparse

from azureml.core import Experiment, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep

parser = argparse.ArgumentParser()
parser.add_argument("--regularization", type=float, default=1.0, help="of the linear model; smaller is stronger")
parser.add_argument("--trees", type=int, default=200, help="how many the forest has")
options = parser.parse_args()

ws = Workspace.from_config()
print("Workspace:", ws.name)

cluster_name = "cpu-cluster"
try:
    cluster = ComputeTarget(workspace=ws, name=cluster_name)
    print("Found the compute target", cluster_name)
except ComputeTargetException:
    config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", min_nodes=0, max_nodes=4)
    cluster = ComputeTarget.create(ws, cluster_name, config)
    cluster.wait_for_completion(show_output=True)

run_config = RunConfiguration()
run_config.environment.python.conda_dependencies = CondaDependencies.create(conda_packages=["scikit-learn", "numpy"])

datastore = ws.get_default_datastore()
samples = PipelineData("samples", datastore=datastore)
features = PipelineData("features", datastore=datastore)
linear_model = PipelineData("linear_model", datastore=datastore)
forest_model = PipelineData("forest_model", datastore=datastore)

regularization = PipelineParameter(name="regularization", default_value=1.0)
trees = PipelineParameter(name="trees", default_value=200)

prepare_step = PythonScriptStep(
    name="prepare",
    script_name="prepare.py",
    source_directory="prepare",
    arguments=["--output", samples, "--test_share", 0.3],
    outputs=[samples],
    compute_target=cluster,
    runconfig=run_config,
    allow_reuse=True,
)

features_step = PythonScriptStep(
    name="features",
    script_name="features.py",
    source_directory="features",
    arguments=["--input", samples, "--output", features, "--count", 12],
    inputs=[samples],
    outputs=[features],
    compute_target=cluster,
    runconfig=run_config,
    allow_reuse=True,
)

linear_step = PythonScriptStep(
    name="train_linear",
    script_name="train.py",
    source_directory="train_linear",
    arguments=["--input", features, "--output", linear_model, "--regularization", regularization],
    inputs=[features],
    outputs=[linear_model],
    compute_target=cluster,
    runconfig=run_config,
    allow_reuse=True,
)

forest_step = PythonScriptStep(
    name="train_forest",
    script_name="train.py",
    source_directory="train_forest",
    arguments=["--input", features, "--output", forest_model, "--trees", trees],
    inputs=[features],
    outputs=[forest_model],
    compute_target=cluster,
    runconfig=run_config,
    allow_reuse=True,
)

compare_step = PythonScriptStep(
    name="compare",
    script_name="compare.py",
    source_directory="compare",
    arguments=["--features", features, "--models", linear_model, forest_model],
    inputs=[features, linear_model, forest_model],
    compute_target=cluster,
    runconfig=run_config,
    allow_reuse=True,
)

pipeline = Pipeline(workspace=ws, steps=[compare_step])
pipeline.validate()

run = Experiment(ws, "breast-cancer").submit(
    pipeline, pipeline_parameters={"regularization": options.regularization, "trees": options.trees}
)
run.wait_for_completion(show_output=False)

compare_run = run.find_step_run("compare")[0]
metrics = compare_run.get_metrics()
print("Pipeline run", run.id, "is", run.get_status())
print("Best model:", metrics["best"], "with an accuracy of", round(metrics["best_accuracy"], 4))
