"""Calls an address at a steady rate, as programs do: a connection and a POST each, whether or not earlier ones were answered.

    python -m benchmarks.caller ADDRESS RATE COUNT < HEADERS_AND_BODY

Reads {"headers": {...}, "body": {...}} from standard input; prints {"seconds": [...], "ids": [...], "refused": [...]}. A call's time
counts from when it was due, so that a caller who is kept waiting sees the wait.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from urllib.parse import urlsplit

CALLERS = 48  # so many calls may be under way


def main() -> None:
    """Call, and print what came of it."""
    address, rate, count = urlsplit(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    asked = json.load(sys.stdin)
    body, headers = json.dumps(asked["body"]).encode(), {**asked["headers"], "Content-Type": "application/json"}
    turns, lock = iter(range(count)), threading.Lock()
    seconds: list[float] = []
    ids: list[str] = []
    refused: list[str] = []
    began = time.perf_counter() + 0.2

    def call() -> None:
        while True:
            with lock:
                turn = next(turns, None)
            if turn is None:
                return
            due = began + turn / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
                connection.request("POST", address.path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                connection.close()
            except OSError as error:
                refused.append(repr(error))
                continue
            seconds.append(time.perf_counter() - due)
            if answer.status == 200:
                ids.append(json.loads(text).get("Id", ""))
            else:
                refused.append(f"{answer.status} {text[:200]!r}")

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"seconds": seconds, "ids": ids, "refused": refused[:5], "refused_count": len(refused)}))


if __name__ == "__main__":
    main()
