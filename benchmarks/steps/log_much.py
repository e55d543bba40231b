"""A step that logs a metric very often, and writes down what that cost: microseconds for each call, and memory.

    log_much.py FILE COUNT [bare]

With `bare` it also writes the same lines without Penstock, each with one write.
"""

import json
import os
import sys
import time

from azureml.core import Run

BLOCK = 100_000


def rss_mib():
    """Return the resident memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def log(run, count):
    """Log `count` values; return the microseconds of each call, and by how much the memory grew after the first block."""
    began, grown = time.perf_counter(), 0.0
    first = None
    for number in range(count):
        run.log("loss", number * 0.5)
        if number % BLOCK == BLOCK - 1:
            first = first or rss_mib()
            grown = max(grown, rss_mib() - first)
    return 1e6 * (time.perf_counter() - began) / count, grown


def write(path, count):
    """Write `count` lines of JSON; return the microseconds of each."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.perf_counter()
    for number in range(count):
        record = {"name": "loss", "kind": "scalar", "value": number * 0.5, "step": None, "at": time.time()}
        os.write(file, (json.dumps(record) + "\n").encode())
    spent = time.perf_counter() - began
    os.close(file)
    os.remove(path)
    return 1e6 * spent / count


path, count = sys.argv[1], int(sys.argv[2])
open(path + ".begun", "w").close()
each, grown = log(Run.get_context(), count)
bare = write(path + ".lines", min(count, BLOCK)) if "bare" in sys.argv else None
with open(path, "w") as file:
    json.dump({"each": each, "grown": grown, "bare": bare}, file)
