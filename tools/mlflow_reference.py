"""Write docs/reference/mlflow.md from the routes that MLflow's clients find.

python tools/mlflow_reference.py > docs/reference/mlflow.md
"""

from __future__ import annotations

import inspect

from penstock.service.mlflow.routes import table

HEAD = """# MLflow's REST interface

What the service answers to MLflow's clients, on 127.0.0.1 at the port that the file `port` of the home folder names. Every path stands
behind `/mlflow/<workspace id>`, and every request needs a token: in a step that of `MLFLOW_TRACKING_TOKEN`, elsewhere the one in the
address that `Workspace.get_mlflow_tracking_uri()` gives. [How to log with MLflow](../how-to/mlflow.md) tells what becomes of what is
sent.

Older clients' paths under `/api/2.0/preview/mlflow` are the same. An error is `{"error_code": ..., "message": ...}`, as MLflow's own
server has it. A JSON body has at most 16 MiB, a batch at most 1000 metrics, an artifact at most 256 GiB.
"""


def main() -> None:
    """Print the page."""
    print(HEAD)
    print("| method | path | |\n|---|---|---|")
    for item in table.declarations:
        promise = (inspect.getdoc(item.handler) or "").splitlines()[0]
        print(f"| {item.method} | `{item.path}` | {promise} |")


if __name__ == "__main__":
    main()
