"""Drop the readings that a broken sensor left: no value, or -99.9."""

import argparse
import os

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
options = parser.parse_args()

run = Run.get_context()
readings = run.input_datasets["readings"].to_pandas_dataframe()
kept = readings[readings["celsius"] > -90].reset_index(drop=True)
kept.to_parquet(os.path.join(options.output, "readings.parquet"))

run.log("readings", len(readings))
run.log("kept", len(kept))
print(f"{len(kept)} of {len(readings)} readings kept")
