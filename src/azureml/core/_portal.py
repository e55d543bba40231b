"""Links to the pages of workspaces, experiments, runs and published pipelines, in v1's form."""

from __future__ import annotations

from typing import Any

# Until there are web pages the link only names its target; `penstock show <run id>` prints the same.
_BASE = "penstock://local"


class HasWorkspacePortal:
    """Builds the part of a link that names the workspace."""

    WORKSPACE_FMT = "?wsid=/subscriptions/{0}/resourcegroups/{1}/workspaces/{2}"
    TID_FMT = "&tid={0}"

    @property
    def portal_url(self) -> str:
        """The address that links begin with."""
        return _BASE

    def _workspace_query(self, workspace: Any) -> str:
        return self.WORKSPACE_FMT.format(workspace.subscription_id, workspace.resource_group, workspace.name)


class HasPipelinePortal(HasWorkspacePortal):
    """Builds the link of a published pipeline."""

    PIPELINE_PATH = "/pipelines/{0}"

    def get_portal_url(self) -> str:
        """Return the link to the pipeline's page."""
        pipeline: Any = self
        return self.portal_url + self.PIPELINE_PATH.format(pipeline.id) + self._workspace_query(pipeline.workspace)


class HasExperimentPortal(HasWorkspacePortal):
    """Builds the link of an experiment."""

    EXPERIMENT_NAME_PATH = "/experiments/{0}"
    EXPERIMENT_ID_PATH = "/experiments/id/{0}"

    def get_portal_url(self) -> str:
        """Return the link to the experiment's page."""
        experiment: Any = self
        return self.portal_url + self.EXPERIMENT_ID_PATH.format(experiment.id) + self._workspace_query(experiment.workspace)


class HasRunPortal(HasExperimentPortal):
    """Builds the link of a run."""

    RUN_PATH = "/runs/{0}"

    def get_portal_url(self) -> str:
        """Return the link to the run's page."""
        run: Any = self
        return self.portal_url + self.RUN_PATH.format(run.id) + self._workspace_query(run.experiment.workspace)
