-- Script runs, what MLflow adds to runs, environments that are built, and models.

-- The run whose process submitted this one. While it has such runs under way it waits, and takes no slot.
alter table runs add column submitter_run_id text;
alter table pipeline_runs add column request_id text;  -- of the request that submitted a script: sent twice, it finds its own work
create index runs_by_submitter on runs (submitter_run_id) where submitter_run_id is not null;
create index runs_by_time on runs (created_at, number);  -- the newest of all

create table run_params (
    run_id text not null references runs (id) on delete cascade,
    name text not null,
    value text not null,
    primary key (run_id, name)
) without rowid;

alter table secrets add column content_type text;

create table environment_builds (
    key text primary key,                       -- sha256 of what is built: interpreter, requirements, options, recipe
    specification text not null,                -- JSON: the same in words
    status text not null,                       -- Queued, Running, Succeeded, Failed
    requested_at text not null,
    started_at text,
    ended_at text,
    interpreter text,                           -- the python of the finished environment
    notes text not null default '[]',           -- JSON list of texts: what was relaxed, and why
    error text
);

create table registered_models (                -- a name for models; it stays when its versions are deleted, so that none is given twice
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    last_version integer not null default 0,    -- the highest that was ever given
    description text,
    tags text not null default '{}',
    details text not null default '{}',         -- JSON: what MLflow keeps of a name, such as its aliases
    created_at text not null,
    modified_at text not null,
    deleted_at text,                            -- when MLflow deleted the name; null while it is shown
    primary key (workspace_id, name)
);

create table models (
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    version integer not null,
    files text not null,                        -- JSON list of [path, size, sha256]; the bytes are blobs
    file_count integer not null,
    size integer not null,                      -- bytes of all files together
    unpack integer not null default 0,          -- whether a folder was registered
    description text,
    tags text not null default '{}',
    properties text not null default '{}',
    run_id text,                                -- the run that it came from; kept when that run is deleted
    experiment_name text,
    framework text,
    framework_version text,
    details text not null default '{}',         -- JSON: datasets, sample inputs and outputs, resources
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text,                            -- of the request that registered it: sent twice, it finds its own work
    primary key (workspace_id, name, version)
);
create index models_by_run on models (run_id);
create unique index models_by_request on models (workspace_id, request_id) where request_id is not null;

-- Of a step whose environment is one that is built: its key, from when it waits for the build on.
alter table step_runs add column environment_key text;
create index step_runs_by_environment on step_runs (environment_key) where environment_key is not null;

-- Asked for by a person, not by a step: Environment.build.
create table environment_requests (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    version text not null,
    definition text not null,                   -- JSON, as it was then
    interpreter text,                           -- of the script that asked
    status text not null,                       -- Queued, Running, Succeeded, Failed
    key text,                                   -- of the build that serves it; null where none is needed
    python text,                                -- such as 'cpython 3.11.7'
    chosen_interpreter text,                    -- the python that steps of this environment run on
    notes text not null default '[]',           -- JSON list of texts
    error text,
    requested_at text not null,
    ended_at text
);
create index environment_requests_by_name on environment_requests (workspace_id, name, requested_at);
create index environment_requests_open on environment_requests (requested_at) where status in ('Queued', 'Running');

-- MLflow's view of runs: one that was deleted there is hidden there; what it read and made; its logged models.
alter table runs add column deleted_at text;

create table mlflow_items (
    run_id text not null references runs (id) on delete cascade,
    kind text not null,                         -- 'dataset', 'model input' or 'model output'
    key text not null,                          -- JSON list: name and digest, or the id of a logged model
    document text not null,                     -- as MLflow's client sent it
    unique (run_id, kind, key)
);

create table logged_models (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    experiment_id text not null references experiments (id) on delete cascade,
    run_id text not null references runs (id) on delete cascade,  -- its files lie among those of this run
    name text not null,
    path text not null,                         -- the folder of its files in the run
    status text not null,
    model_type text,
    params text not null default '{}',
    tags text not null default '{}',
    metrics text not null default '[]',
    created_at text not null,
    modified_at text not null,
    deleted_at text
);
create index logged_models_by_run on logged_models (run_id);
create index logged_models_by_experiment on logged_models (experiment_id, created_at);
