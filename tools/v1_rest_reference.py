"""Write docs/reference/v1-rest.md from the routes that v1's callers find.

python tools/v1_rest_reference.py > docs/reference/v1-rest.md
"""

from __future__ import annotations

import inspect

from penstock.service.v1.routes import table

HEAD = """# v1's REST interface

What the service answers to programs that [call what is published](../how-to/call-over-rest.md), on 127.0.0.1 at the port that the file
`port` of the home folder names. Every request needs a token in its header: `Authorization: Bearer TOKEN`. All paths but that of the
description stand behind

    /pipelines/v1.0/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.MachineLearningServices/workspaces/WORKSPACE

which names a workspace without regard to case. `published.endpoint` and `endpoint.endpoint` are whole addresses.
"""

TAIL = """
## The body of a call

Keys count without regard to case. Those that are not listed here are ignored, and null is the same as nothing. A body has at most 16 MiB.

| member | value |
|---|---|
| `ExperimentName` | the experiment that the run belongs to; must be there |
| `Description` | the run's description |
| `ParameterAssignments` | name of a parameter -> text, number, true or false |
| `DataPathAssignments` | name of a parameter -> `{"DataStoreName", "RelativePath"}` |
| `DataSetDefinitionValueAssignments` | name of a parameter -> a dataset, in one of the forms below |
| `Tags` | tags of the run: name -> text |
| `StepTags` | tags of each of its step runs |
| `Properties` | its properties |
| `ContinueRunOnStepFailure` | true or false; as it was published when it is left out |
| `ParentRunId` | the run that it is a child of; the query `parentRunId` says it too, and wins |
| `RunSource` | a word for who started it: `API` when it is left out |
| `RunType` | `HTTP`, `SDK`, `Schedule` or `Portal`, or its code, 0 to 3; `HTTP` when it is left out |
| `RequestId` | a UUID of the caller's, which v1 does not have: sent twice with the same one, the call starts one run |

A dataset:

- `{"SavedDataSetReference": {"Id": ...}}` or `{"DataSetReference": {"Id": ...}}`: a saved one, by its id
- `{"DataSetReference": {"Name": ..., "Version": ...}}`: a registered one, the newest version when it is left out
- `{"LiteralValue": {"DataStoreName": ..., "RelativePath": ...}}`: the files there, for a parameter that takes files; a path for one
  that takes a data path

## The answer

A run: `Id`, `Status` (`StatusCode`: 0 not started, 1 running, 2 failed, 3 finished, 4 cancelled; `StatusDetail`, `CreationTime`,
`EndTime`), `Description`, `GraphId`, `ParameterAssignments`, `DataSetDefinitionValueAssignments`, `RunHistoryExperimentName`, `PipelineId`,
`RunSource`, `RunType`, `TotalRunSteps`, `ScheduleId`, `tags`, `Properties`, `EntityStatus`, `Etag`, `CreatedDate`, `LastModifiedDate` and
others. Enumerations are codes. Only 200 means that it went well.

An error:

```json
{
  "Error": {
    "Code": "UserError",
    "Message": "The pipeline has no parameter 'round'. Did you mean 'rounds'?",
    "Target": "ParameterAssignments.round",
    "Details": [{"Code": "Invalid", "Message": "...", "Target": "ParameterAssignments.round"}],
    "InnerError": {"Code": "Invalid"}
  },
  "Correlation": {"operation": "...", "request": "..."}
}
```

`Code` is `UserError`, or `ServiceError` from 500 on. `operation` repeats the header `x-ms-client-request-id`, where the caller sent one.
"""


def main() -> None:
    """Print the page."""
    print(HEAD)
    print("| method | path | |\n|---|---|---|")
    for item in table.declarations:
        promise = (inspect.getdoc(item.handler) or "").splitlines()[0]
        print(f"| {item.method} | `{item.path}` | {promise} |")
    print(TAIL, end="")


if __name__ == "__main__":
    main()
