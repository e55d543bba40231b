-- Times are ISO-8601 UTC text with microseconds and 'Z': they sort as text. JSON columns hold text.

create table workspaces (
    id text primary key,
    name text not null,
    subscription_id text not null,
    resource_group text not null,
    identity text not null unique,              -- subscription/group/name in lower case: how names are compared
    location text not null,
    tags text not null default '{}',
    details text not null default '{}',
    created_at text not null
);

create table experiments (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    tags text not null default '{}',
    run_count integer not null default 0,       -- the number the newest run got
    created_at text not null,
    archived_at text,
    unique (workspace_id, name)
);

create table datastores (
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    type text not null,
    root text,                                  -- a local folder; null for a store that is not reached yet
    definition text not null default '{}',
    is_default integer not null default 0,
    created_at text not null,
    request_id text,                            -- of the request that created it: sent twice, it finds its own work
    primary key (workspace_id, name)
);

create table compute_targets (
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    type text not null,
    definition text not null default '{}',
    max_nodes integer not null default 1,       -- how many steps at once
    created_at text not null,
    modified_at text not null,
    request_id text,                            -- as above
    primary key (workspace_id, name)
);

create table environments (
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    version text not null,
    definition text not null,
    hash text not null,
    created_at text not null,
    primary key (workspace_id, name, version)
);

create table snapshots (
    digest text primary key,
    manifest text not null,                     -- JSON list of [path, size, sha256, executable]
    created_at text not null
);

create table graphs (
    id text primary key,                        -- sha256 of the document
    document text not null,
    created_at text not null
);

create table runs (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    experiment_id text not null references experiments (id) on delete cascade,
    number integer not null,
    type text,
    name text,
    display_name text,
    description text,
    status text not null,
    parent_run_id text references runs (id) on delete cascade,
    root_run_id text not null,
    created_at text not null,
    queued_at text,
    started_at text,
    ended_at text,
    error text,
    warnings text not null default '[]',
    tags text not null default '{}',
    properties text not null default '{}',
    target text,
    created_by text
);
create index runs_by_parent on runs (parent_run_id, started_at);
create index runs_by_root on runs (root_run_id);
create index runs_by_experiment on runs (experiment_id, created_at);
create index runs_by_workspace on runs (workspace_id, created_at);
create index runs_by_name on runs (workspace_id, name, created_at);
create index runs_by_status on runs (status, queued_at);  -- the queue in its turn; not partial: no query names the same statuses

create table pipeline_runs (
    run_id text primary key references runs (id) on delete cascade,
    graph_id text not null references graphs (id),
    parameters text not null default '{}',      -- every parameter, defaults included
    continue_on_step_failure integer not null default 0,
    regenerate_outputs integer not null default 0,
    interpreter text                            -- the python that submitted; steps run on it
);

create table step_runs (
    run_id text primary key references runs (id) on delete cascade,
    pipeline_run_id text not null references runs (id) on delete cascade,
    node_id text not null,
    position integer not null,                  -- in topological order
    waiting_for integer not null,               -- predecessors that have not ended well yet
    compute_name text,
    attempt integer not null default 0,
    handle text,                                -- JSON: what the executor needs to find the process again
    cancel_requested_at text,
    deadline_at text,                           -- max_run_duration_seconds, as a moment
    reuse_key text,
    components text,                            -- JSON: what the key was made of
    outputs text not null default '[]',         -- JSON: name, datastore, path, files, bytes, digest
    reused_run_id text,                         -- the run that really made the outputs
    reason text,                                -- why it ran or was reused, in words
    definition_id text not null,
    unique (pipeline_run_id, node_id)
);

-- Who waits for whom, so that an ended step touches its followers only.
create table step_edges (
    before_run_id text not null references runs (id) on delete cascade,
    after_run_id text not null references runs (id) on delete cascade,
    primary key (before_run_id, after_run_id)
) without rowid;
create index step_edges_after on step_edges (after_run_id);

create table reuse (
    workspace_id text not null references workspaces (id) on delete cascade,
    key text not null,
    run_id text not null references runs (id) on delete cascade,
    created_at text not null,
    primary key (workspace_id, key)
);
create index reuse_by_run on reuse (run_id);    -- without it, each run that is deleted reads the whole table
create index step_runs_by_definition on step_runs (definition_id);

-- Digests of files already read, valid while size, time and inode are the same.
create table file_digests (
    path text primary key,
    size integer not null,
    modified_ns integer not null,
    inode integer not null,
    digest text not null
) without rowid;

create table events (
    sequence integer primary key autoincrement,
    run_id text not null,
    root_run_id text not null,
    at text not null,
    status text,
    actor text not null,
    reason text,
    detail text
);
create index events_by_root on events (root_run_id, sequence);
