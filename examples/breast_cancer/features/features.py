"""Keep the measurements that tell most, and bring them to one scale."""

import argparse
import os

import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.preprocessing import StandardScaler

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--input", required=True)
parser.add_argument("--output", required=True)
parser.add_argument("--count", type=int, default=12)
args = parser.parse_args()

run = Run.get_context()

samples = np.load(os.path.join(args.input, "samples.npz"))
selection = SelectKBest(f_classif, k=args.count).fit(samples["x_train"], samples["y_train"])
scale = StandardScaler().fit(selection.transform(samples["x_train"]))
kept = samples["names"][selection.get_support()]
print("Kept:", ", ".join(kept))

os.makedirs(args.output, exist_ok=True)
np.savez(
    os.path.join(args.output, "features.npz"),
    x_train=scale.transform(selection.transform(samples["x_train"])),
    x_test=scale.transform(selection.transform(samples["x_test"])),
    y_train=samples["y_train"],
    y_test=samples["y_test"],
)

run.log_list("kept measurements", [str(name) for name in kept])
