"""How data flows: files become datasets, steps read and write them, and what they write is a dataset again.

readings (table) -> clean -> clean_readings (table) -> summarise -> station_means (table)
                             stations (one file)    ->

python pipeline.py
"""

import os

from azureml.core import Dataset, Experiment, Workspace
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

HERE = os.path.dirname(os.path.abspath(__file__))

ws = Workspace.from_config()
store = ws.get_default_datastore()

# What is uploaded stays where it is: a dataset is a description of it, and costs nothing to register.
store.upload(os.path.join(HERE, "data"), target_path="weather", overwrite=True, show_progress=False)
readings = Dataset.Tabular.from_delimited_files((store, "weather/readings/*.csv"))
readings = readings.register(ws, "readings", description="daily mean temperatures", create_new_version=True)
stations = Dataset.File.from_files((store, "weather/stations.csv")).register(ws, "stations", create_new_version=True)

# What a step writes becomes a dataset under a name when the step has ended well.
clean_readings = OutputFileDatasetConfig("clean_readings", (store, "weather/clean/{run-id}"))
clean_readings = clean_readings.read_parquet_files().register_on_complete("clean_readings")
station_means = OutputFileDatasetConfig("station_means", (store, "weather/means/{run-id}"))
station_means = station_means.read_delimited_files().register_on_complete("station_means")

clean_step = PythonScriptStep(
    name="clean",
    script_name="clean.py",
    source_directory=os.path.join(HERE, "clean"),
    arguments=["--output", clean_readings],
    inputs=[readings.as_named_input("readings")],
    compute_target="local",
)
summarise_step = PythonScriptStep(
    name="summarise",
    script_name="summarise.py",
    source_directory=os.path.join(HERE, "summarise"),
    arguments=["--stations", stations.as_named_input("stations").as_mount(), "--output", station_means],
    inputs=[clean_readings.as_input("clean_readings")],
    compute_target="local",
)

run = Experiment(ws, "data-flow").submit(Pipeline(ws, steps=[summarise_step]))
run.wait_for_completion(show_output=False)

means = Dataset.get_by_name(ws, "station_means")
print(means.to_pandas_dataframe().to_string(index=False))

details = run.find_step_run("summarise")[0].get_details()
read = [f"{item['dataset'].name} version {item['dataset'].version}" for item in details["inputDatasets"]]
print("station_means version", means.version, "was made from", ", ".join(sorted(read)))
print("Ask from the other end:  penstock lineage station_means")
