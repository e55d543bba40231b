"""Routes of workspaces and of what belongs to them: experiments, datastores, compute targets, environments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from penstock.operations import compute_targets, datastores, environments, experiments, workspaces
from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()
Verb = Callable[[], Any]

_WORKSPACE = "/workspaces/{workspace_id}"


@table.add("GET", "/workspaces", Role.READER, answer=("Workspace",))
def list_workspaces(call: Call) -> Verb:
    """List workspaces."""
    wanted = call.query.text("subscription_id", None), call.query.text("resource_group", None)
    return partial(workspaces.list_workspaces, call.context, *wanted)


@table.add("POST", "/workspaces", Role.OWNER, answer="Workspace")
def create_workspace(call: Call) -> Verb:
    """Create a workspace."""
    return partial(
        workspaces.create_workspace,
        call.context,
        name=call.body.text("name"),
        subscription_id=call.body.text("subscription_id", None),
        resource_group=call.body.text("resource_group", None),
        location=call.body.text("location", None),
        tags=call.body.mapping("tags", None),
        details=call.body.mapping("details", None),
        exist_ok=call.body.flag("exist_ok"),
        request_id=call.body.text("request_id", None),
    )


@table.add("POST", "/workspaces/resolve", Role.CONTRIBUTOR, answer="Workspace")
def resolve_workspace(call: Call) -> Verb:
    """Find a workspace by its triple, or make it."""
    triple = call.body.text("subscription_id"), call.body.text("resource_group"), call.body.text("name")
    return partial(workspaces.resolve_workspace, call.context, *triple, create=call.body.flag("create", True))


@table.add("POST", "/workspaces/default", Role.CONTRIBUTOR, answer="Workspace")
def default_workspace(call: Call) -> Verb:
    """Find the default workspace, or make it."""
    return partial(workspaces.default_workspace, call.context)


@table.add("GET", _WORKSPACE, Role.READER, answer="Workspace")
def get_workspace(call: Call) -> Verb:
    """Read a workspace."""
    return partial(workspaces.get_workspace, call.context, call.path["workspace_id"])


@table.add("PATCH", _WORKSPACE, Role.OWNER, answer="Workspace")
def update_workspace(call: Call) -> Verb:
    """Merge tags and details into a workspace."""
    changes = {"tags": call.body.mapping("tags", None), "details": call.body.mapping("details", None)}
    return partial(workspaces.update_workspace, call.context, call.path["workspace_id"], **changes)


@table.add("DELETE", _WORKSPACE, Role.OWNER, answer="Nothing")
def delete_workspace(call: Call) -> Verb:
    """Delete a workspace."""
    return partial(workspaces.delete_workspace, call.context, call.path["workspace_id"])


# Experiments


@table.add("GET", _WORKSPACE + "/experiments", Role.READER, answer=("Experiment",))
def list_experiments(call: Call) -> Verb:
    """List the experiments of a workspace."""
    return partial(experiments.list_experiments, call.context, call.path["workspace_id"], call.query.flag("include_archived"))


@table.add("PUT", _WORKSPACE + "/experiments/{name}", Role.CONTRIBUTOR, answer="Experiment")
def ensure_experiment(call: Call) -> Verb:
    """Find an experiment by name, or make it."""
    return partial(experiments.ensure_experiment, call.context, call.path["workspace_id"], call.path["name"])


@table.add("GET", "/experiments/{experiment_id}", Role.READER, answer="Experiment")
def get_experiment(call: Call) -> Verb:
    """Read an experiment."""
    return partial(experiments.get_experiment, call.context, call.path["experiment_id"])


@table.add("PATCH", "/experiments/{experiment_id}", Role.CONTRIBUTOR, answer="Experiment")
def update_experiment(call: Call) -> Verb:
    """Tag or archive an experiment."""
    return partial(
        experiments.update_experiment,
        call.context,
        call.path["experiment_id"],
        tags=call.body.mapping("tags", None),
        remove_tags=call.body.texts("remove_tags", None),
        archived=call.body.flag("archived", None),
    )


@table.add("DELETE", "/experiments/{experiment_id}", Role.CONTRIBUTOR, answer="Nothing")
def delete_experiment(call: Call) -> Verb:
    """Delete an experiment without runs."""
    return partial(experiments.delete_experiment, call.context, call.path["experiment_id"])


# Datastores


@table.add("GET", _WORKSPACE + "/datastores", Role.READER, answer=("Datastore",))
def list_datastores(call: Call) -> Verb:
    """List the datastores of a workspace."""
    return partial(datastores.list_datastores, call.context, call.path["workspace_id"])


@table.add("GET", _WORKSPACE + "/default-datastore", Role.READER, answer="Datastore")
def get_default_datastore(call: Call) -> Verb:
    """Read the default datastore."""
    return partial(datastores.get_default_datastore, call.context, call.path["workspace_id"])


@table.add("PUT", _WORKSPACE + "/default-datastore", Role.CONTRIBUTOR, answer="Datastore")
def set_default_datastore(call: Call) -> Verb:
    """Make a datastore the default one."""
    return partial(datastores.set_default_datastore, call.context, call.path["workspace_id"], call.body.text("name"))


@table.add("GET", _WORKSPACE + "/datastores/{name}", Role.READER, answer="Datastore")
def get_datastore(call: Call) -> Verb:
    """Read a datastore."""
    return partial(datastores.get_datastore, call.context, call.path["workspace_id"], call.path["name"])


@table.add("PUT", _WORKSPACE + "/datastores/{name}", Role.CONTRIBUTOR, answer="Datastore")
def register_datastore(call: Call) -> Verb:
    """Register a datastore."""
    return partial(
        datastores.register_datastore,
        call.context,
        call.path["workspace_id"],
        call.path["name"],
        type=call.body.text("type"),
        root=call.body.text("root", None),
        definition=call.body.mapping("definition", None),
        overwrite=call.body.flag("overwrite"),
        secrets=call.body.mapping("secrets", None),
        request_id=call.body.text("request_id", None),
    )


@table.add("GET", _WORKSPACE + "/datastores/{name}/secrets", Role.OWNER, answer="Secrets")
def get_datastore_secrets(call: Call) -> Verb:
    """Read the credentials of a datastore in clear."""
    return partial(datastores.get_datastore_secrets, call.context, call.path["workspace_id"], call.path["name"])


@table.add("DELETE", _WORKSPACE + "/datastores/{name}", Role.CONTRIBUTOR, answer="Nothing")
def unregister_datastore(call: Call) -> Verb:
    """Forget a datastore."""
    return partial(datastores.unregister_datastore, call.context, call.path["workspace_id"], call.path["name"])


# Compute targets


@table.add("GET", _WORKSPACE + "/compute-targets", Role.READER, answer=("ComputeTarget",))
def list_compute_targets(call: Call) -> Verb:
    """List the compute targets of a workspace."""
    return partial(compute_targets.list_compute_targets, call.context, call.path["workspace_id"])


@table.add("GET", _WORKSPACE + "/compute-targets/{name}", Role.READER, answer="ComputeTarget")
def get_compute_target(call: Call) -> Verb:
    """Read a compute target."""
    return partial(compute_targets.get_compute_target, call.context, call.path["workspace_id"], call.path["name"])


@table.add("PUT", _WORKSPACE + "/compute-targets/{name}", Role.CONTRIBUTOR, answer="ComputeTarget")
def put_compute_target(call: Call) -> Verb:
    """Create or replace a compute target."""
    return partial(
        compute_targets.put_compute_target,
        call.context,
        call.path["workspace_id"],
        call.path["name"],
        type=call.body.text("type"),
        definition=call.body.mapping("definition"),
        overwrite=call.body.flag("overwrite"),
        request_id=call.body.text("request_id", None),
    )


@table.add("DELETE", _WORKSPACE + "/compute-targets/{name}", Role.CONTRIBUTOR, answer="Nothing")
def delete_compute_target(call: Call) -> Verb:
    """Forget a compute target."""
    return partial(compute_targets.delete_compute_target, call.context, call.path["workspace_id"], call.path["name"])


# Environments


@table.add("GET", _WORKSPACE + "/environments", Role.READER, answer=("Environment",))
def list_environments(call: Call) -> Verb:
    """List the newest version of each environment."""
    return partial(environments.list_environments, call.context, call.path["workspace_id"])


@table.add("GET", _WORKSPACE + "/environments/{name}", Role.READER, answer="Environment")
def get_environment(call: Call) -> Verb:
    """Read an environment."""
    return partial(
        environments.get_environment, call.context, call.path["workspace_id"], call.path["name"], call.query.text("version", None)
    )


@table.add("POST", _WORKSPACE + "/environments/{name}", Role.CONTRIBUTOR, answer="Environment")
def register_environment(call: Call) -> Verb:
    """Register an environment; what is there already keeps its version."""
    return partial(
        environments.register_environment,
        call.context,
        call.path["workspace_id"],
        call.path["name"],
        definition=call.body.mapping("definition"),
        version=call.body.text("version", None),
    )
