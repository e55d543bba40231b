"""Train a random forest."""

import argparse
import os

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--input", required=True)
parser.add_argument("--output", required=True)
parser.add_argument("--trees", type=int, default=200)
args = parser.parse_args()

run = Run.get_context()

features = np.load(os.path.join(args.input, "features.npz"))
model = RandomForestClassifier(n_estimators=args.trees, random_state=7).fit(features["x_train"], features["y_train"])
accuracy = model.score(features["x_train"], features["y_train"])
print(f"Random forest of {args.trees} trees: {accuracy:.4f} on the training samples")

os.makedirs(args.output, exist_ok=True)
joblib.dump(model, os.path.join(args.output, "forest.joblib"))

run.log("trees", args.trees)
run.log("training accuracy", accuracy)
