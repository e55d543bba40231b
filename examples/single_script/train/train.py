"""Train a classifier, and log what came of it. Runs by hand as well: python train.py --depth 3"""

import argparse
import os

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, default=3)
args = parser.parse_args()

run = Run.get_context()
data = load_breast_cancer()
x_train, x_test, y_train, y_test = train_test_split(data.data, data.target, random_state=0)

for depth in range(1, args.depth + 1):
    model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(x_train, y_train)
    run.log("accuracy by depth", accuracy_score(y_test, model.predict(x_test)))

found = model.predict(x_test)
run.log("accuracy", accuracy_score(y_test, found))
run.log_confusion_matrix(
    "confusion",
    {
        "schema_type": "confusion_matrix",
        "schema_version": "v1",
        "data": {"class_labels": list(data.target_names), "matrix": confusion_matrix(y_test, found).tolist()},
    },
)
print("depth", args.depth, "accuracy", round(accuracy_score(y_test, found), 3))

os.makedirs("outputs", exist_ok=True)
joblib.dump(model, "outputs/tree.pkl")
