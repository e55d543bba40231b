"""Tables that are larger than the memory that may be used for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 400 * 2**20
MOST = 450 * 2**20  # of the whole process, its libraries included; measured: 220 to 370 MiB

SCRIPT = """
import resource, sys
from penstock.model.datasets import DELIMITED, TABULAR, Dataset, Operation, Parsing, Place
from penstock.tabular import SourceFile, open_table

path, folder, kind, *work = sys.argv[1:]
condition = {"call": "contains", "arguments": [{"column": "text"}, {"value": "7"}]}
operations = {"filter": ("filter", {"expression": condition}), "split": ("split", {"start": 0.0, "end": 0.5, "seed": 1})}
dataset = Dataset(TABULAR, (Place(url="x"),), parsing=Parsing(DELIMITED), operations=tuple(Operation(*operations[name]) for name in work))
table = open_table(dataset, [SourceFile(path, "/x.csv", {})])
table.write_partitioned(folder, ["key"]) if kind == "keys" else table.profile() if kind == "profile" else table.write_files(kind, folder)
if sys.platform == "darwin":
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
else:  # Linux counts in ru_maxrss what the tests' own process had taken before it became this one
    print(next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of some hundred MiB."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    with open(path, "w") as file:
        file.write("id,key,value,at,text\n")
        while file.tell() < SIZE:
            start = file.tell()
            file.writelines(
                f'{start + n},k{n % 40},{n * 0.25},2020-01-01T00:00:{n % 60:02},"text {n * 7919}, and more"\n' for n in range(50_000)
            )
    return path


@pytest.mark.long
@pytest.mark.parametrize("work", [["delimited", "filter"], ["parquet", "split"], ["keys"], ["profile"]])
def test_rows_stream_in_bounded_memory(large: Path, tmp_path: Path, work: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(large), str(tmp_path / "out"), *work], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < MOST
