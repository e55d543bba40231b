"""Write the mean temperature of each station, beside its name and height."""

import argparse
import os

import pandas as pd

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--stations", required=True, help="a file: the dataset names exactly one")
parser.add_argument("--output", required=True)
options = parser.parse_args()

run = Run.get_context()
readings = run.input_datasets["clean_readings"].to_pandas_dataframe()
means = readings.groupby("station", as_index=False)["celsius"].mean().round(2)
table = pd.read_csv(options.stations).merge(means, on="station").sort_values("celsius")
table.to_csv(os.path.join(options.output, "means.csv"), index=False)

for row in table.itertuples():
    run.log(row.station, row.celsius)
