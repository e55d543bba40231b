-- Script runs, what MLflow adds to runs, environments that are built, and models.

-- The run whose process submitted this one. While it has such runs under way it waits, and takes no slot.
alter table runs add column submitter_run_id text;
create index runs_by_submitter on runs (submitter_run_id) where submitter_run_id is not null;

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

create table models (
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    version integer not null,
    files text not null,                        -- JSON list of [path, size, sha256]; the bytes are blobs
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
