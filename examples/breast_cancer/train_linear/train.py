"""Train a logistic regression."""

import argparse
import os

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--input", required=True)
parser.add_argument("--output", required=True)
parser.add_argument("--regularization", type=float, default=1.0)
args = parser.parse_args()

run = Run.get_context()

features = np.load(os.path.join(args.input, "features.npz"))
model = LogisticRegression(C=args.regularization, max_iter=1000).fit(features["x_train"], features["y_train"])
accuracy = model.score(features["x_train"], features["y_train"])
print(f"Logistic regression, regularization {args.regularization}: {accuracy:.4f} on the training samples")

os.makedirs(args.output, exist_ok=True)
joblib.dump(model, os.path.join(args.output, "linear.joblib"))

run.log("regularization", args.regularization)
run.log("training accuracy", accuracy)
