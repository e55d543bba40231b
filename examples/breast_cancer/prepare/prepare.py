"""Read the 569 samples, and set some aside for the comparison."""

import argparse
import os

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--output", required=True)
parser.add_argument("--test_share", type=float, default=0.3)
args = parser.parse_args()

run = Run.get_context()

data = load_breast_cancer()
x_train, x_test, y_train, y_test = train_test_split(data.data, data.target, test_size=args.test_share, random_state=7, stratify=data.target)
print(f"{len(data.target)} samples with {data.data.shape[1]} measurements each: {len(y_train)} to train, {len(y_test)} to test")

os.makedirs(args.output, exist_ok=True)
np.savez(os.path.join(args.output, "samples.npz"), x_train=x_train, x_test=x_test, y_train=y_train, y_test=y_test, names=data.feature_names)

run.log("training samples", len(y_train))
run.log("test samples", len(y_test))
