"""Try both models on the samples that neither has seen, and keep the better one."""

import argparse
import glob
import os

import joblib
import numpy as np
from sklearn.metrics import accuracy_score, roc_auc_score

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--features", required=True)
parser.add_argument("--models", nargs="+", required=True)
args = parser.parse_args()

run = Run.get_context()

features = np.load(os.path.join(args.features, "features.npz"))
results = {}
for folder in args.models:
    path = glob.glob(os.path.join(folder, "*.joblib"))[0]
    name = os.path.splitext(os.path.basename(path))[0]
    model = joblib.load(path)
    accuracy = accuracy_score(features["y_test"], model.predict(features["x_test"]))
    area = roc_auc_score(features["y_test"], model.predict_proba(features["x_test"])[:, 1])
    results[name] = (area, accuracy, model)
    print(f"{name:8} accuracy {accuracy:.4f}, area under the curve {area:.4f}")
    run.log_row("models", model=name, accuracy=accuracy, area=area)

best = max(results, key=lambda name: results[name][0])
os.makedirs("outputs", exist_ok=True)
joblib.dump(results[best][2], os.path.join("outputs", "best_model.joblib"))
print("Best:", best)

run.log("best", best)
run.log("best_accuracy", results[best][1])
