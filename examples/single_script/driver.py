"""One script as a run, without a pipeline: three of them side by side, and the best one's model is registered.

python driver.py
"""

import os

from azureml.core import Experiment, Model, ScriptRunConfig, Workspace

HERE = os.path.dirname(os.path.abspath(__file__))

ws = Workspace.from_config()
experiment = Experiment(ws, "single-script")

# A submission returns at once, so the three of them run at the same time.
runs = [
    experiment.submit(
        ScriptRunConfig(source_directory=os.path.join(HERE, "train"), script="train.py", arguments=["--depth", depth]),
        tags={"depth": str(depth)},
    )
    for depth in (1, 3, 5)
]
for run in runs:
    run.wait_for_completion()
    print("depth", run.get_tags()["depth"], "accuracy", round(run.get_metrics()["accuracy"], 3))

best = max(runs, key=lambda run: run.get_metrics()["accuracy"])
model = best.register_model(
    "tree", "outputs/tree.pkl", tags={"depth": best.get_tags()["depth"]}, properties={"accuracy": best.get_metrics()["accuracy"]}
)
print(f"{model.name} version {model.version} comes from the run of depth {model.tags['depth']}")
print("It is found by its name, in scripts and outside:", os.path.basename(Model(ws, "tree").download(exist_ok=True)))
