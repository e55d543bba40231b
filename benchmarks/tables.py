"""Rows of large tables: read into pandas, in turns with pandas' own readers, and written again in bounded memory.

Each reading is a process of its own, so that no one profits from another's memory. Its imports do not count.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.data import SCALE
from benchmarks.report import Line

READ_MEGABYTES, WRITE_MEGABYTES = 1024, 2048
MOST_MEGABYTES = 600  # of the process that filters and writes
_ROWS = 200_000  # of a piece that is generated


def measure(folder: Path, rounds: int) -> Iterator[Line]:
    """Yield the lines of reading and of writing."""
    read_bytes = int(READ_MEGABYTES * SCALE) << 20
    for name, make, extension in (("CSV", "usual", "csv"), ("CSV, mostly text", "texts", "csv"), ("Parquet", "usual", "parquet")):
        path = folder / f"{make}.{extension}"
        run("generate", make, str(path), str(read_bytes))
        yield from measure_reading(f"{name} of {path.stat().st_size >> 20} MiB", path, rounds)
        path.unlink()
    path = folder / "large.csv"
    run("generate", "usual", str(path), str(int(WRITE_MEGABYTES * SCALE) << 20))
    yield from measure_writing(path, folder, rounds)
    path.unlink()


def measure_reading(name: str, path: Path, rounds: int) -> Iterator[Line]:
    """Yield how long a file takes to become a frame, and what memory that needs, beside pandas."""
    ours, bare = [], []
    for _ in range(rounds):
        bare.append(run("read_bare", str(path)))
        ours.append(run("read", str(path)))
    yield Line(f"{name} into pandas", *_median("seconds", ours), "s", bare=_median("seconds", bare)[0], budget_ratio=1.0)
    yield Line("  most memory", *_median("megabytes", ours), "MiB", bare=_median("megabytes", bare)[0])
    if path.suffix == ".csv":
        objects = [run("read_objects", str(path)) for _ in range(rounds)]
        note = "bare: pandas, with texts as Python objects"
        yield Line("  beside pandas with texts as objects", *_median("seconds", ours), "s", bare=_median("seconds", objects)[0], note=note)


def measure_writing(path: Path, folder: Path, rounds: int) -> Iterator[Line]:
    """Yield what a filter or a split, written to files again, needs."""
    size = path.stat().st_size >> 20
    for name, work, kind in (("filter and to_csv_files", "filter", "delimited"), ("split and to_parquet_files", "split", "parquet")):
        found = [run("write", str(path), str(folder / "out"), work, kind) for _ in range(max(1, rounds // 2))]
        yield Line(f"{name} of a CSV of {size} MiB", *_median("seconds", found), "s")
        yield Line("  most memory", *_median("megabytes", found), "MiB", budget=MOST_MEGABYTES)


def _median(name: str, found: list[dict[str, float]]) -> tuple[float]:
    return (statistics.median(item[name] for item in found),)


def run(work: str, *arguments: str) -> dict[str, float]:
    """Do some work in a process of its own; return what it measured."""
    root = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); from benchmarks import tables; tables.child()"]
    done = subprocess.run([*command, work, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


# ---- in the process of its own ----


def child() -> None:
    """Do what the command line says, and print the figures."""
    import resource
    import time

    import pandas
    import pyarrow.csv
    import pyarrow.parquet

    import penstock.tabular

    del pandas, pyarrow, penstock
    work, *arguments = sys.argv[1:]
    began = time.perf_counter()
    kept = WORK[work](*arguments)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({"seconds": seconds, "megabytes": peak}), flush=True)
    del kept


def generate(kind: str, path: str, size: str) -> None:
    """Write a file of about so many bytes: numbers, times, categories and, where asked for, texts that rarely repeat."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    dice = np.random.default_rng(1)
    place = Path(path)
    writer = None
    rows = 0
    with pa.OSFile(path, "wb") as file:
        while file.tell() < int(size):
            table = _piece(dice, rows, kind == "texts")
            if writer is None:
                is_csv = place.suffix == ".csv"
                writer = csv.CSVWriter(file, table.schema) if is_csv else parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
            rows += table.num_rows
        if writer is not None:
            writer.close()


def _piece(dice, first: int, with_texts: bool):  # type: ignore[no-untyped-def]
    import numpy as np
    import pyarrow as pa

    words = np.array([f"word {number}" for number in range(300)])
    seconds = dice.integers(1_400_000_000, 1_700_000_000, _ROWS)
    columns = {
        "id": np.arange(first, first + _ROWS),
        **{f"count{number}": dice.integers(0, 100_000, _ROWS) for number in range(3)},
        **{f"value{number}": dice.normal(0, 1, _ROWS).round(6) for number in range(4)},
        "flag": dice.integers(0, 2, _ROWS).astype(bool),
        "at": pa.array(seconds, pa.timestamp("s")),
        "kind": words[dice.integers(0, len(words), _ROWS)],
        "place": words[dice.integers(0, 20, _ROWS)],
    }
    if with_texts:
        numbers = dice.integers(0, 10**9, (2, _ROWS))
        columns["name"] = [f"customer {number}, of {other}" for number, other in zip(*numbers.tolist(), strict=True)]
        columns["note"] = [f"note {number} on {other}, and so on" for number, other in zip(*numbers.tolist(), strict=True)]
    return pa.table(columns)


def read(path: str) -> object:
    """Read with our table."""
    return _open(path).to_pandas()


def read_bare(path: str) -> object:
    """Read with pandas."""
    import pandas

    return pandas.read_csv(path) if path.endswith(".csv") else pandas.read_parquet(path)


def read_objects(path: str) -> object:
    """Read with pandas, texts as Python objects."""
    import pandas

    texts = [name for name in pandas.read_csv(path, nrows=10).columns if name in ("at", "kind", "place", "name", "note")]
    return pandas.read_csv(path, dtype=dict.fromkeys(texts, object))


def write(path: str, folder: str, work: str, kind: str) -> None:
    """Write some of the rows, and remove them."""
    import shutil

    positive = {"call": "gt", "arguments": [{"column": "value0"}, {"value": 0}]}
    operations = {"filter": ("filter", {"expression": positive}), "split": ("split", {"start": 0.0, "end": 0.5, "seed": 1})}
    _open(path, operations[work]).write_files(kind, folder)
    shutil.rmtree(folder)


def _open(path: str, *operations: tuple[str, dict[str, object]]):  # type: ignore[no-untyped-def]
    from penstock.model.datasets import DELIMITED, PARQUET, TABULAR, Dataset, Operation, Parsing, Place
    from penstock.tabular import SourceFile, open_table

    parsing = Parsing(DELIMITED if path.endswith(".csv") else PARQUET)
    done = tuple(Operation(*operation) for operation in operations)
    return open_table(Dataset(TABULAR, (Place(url=f"file://{path}"),), parsing=parsing, operations=done), [SourceFile(path, "/data", {})])


WORK = {"generate": generate, "read": read, "read_bare": read_bare, "read_objects": read_objects, "write": write}
