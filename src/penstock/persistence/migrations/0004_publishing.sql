-- Published pipelines and their endpoints, drafts, modules, schedules and their ticks.

create table pipelines (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,                         -- need not be unique
    description text,
    version text,                               -- the publisher's own word
    status text not null default 'Active',      -- Active, Deprecated, Disabled
    graph_id text not null references graphs (id),
    step_count integer not null,
    continue_on_step_failure integer not null default 0,
    parameters text not null default '[]',      -- the graph's own: names, kinds and defaults
    interpreter text,                           -- the python of who published; steps run on it
    tags text not null default '{}',
    properties text not null default '{}',
    source_run_id text,                         -- the run that it was published from
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text                             -- of the request that published it: sent twice, it finds its own work
);
create index pipelines_by_workspace on pipelines (workspace_id, created_at);
create unique index pipelines_by_request on pipelines (workspace_id, request_id) where request_id is not null;

create table pipeline_endpoints (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    description text,
    status text not null default 'Active',
    default_version integer not null,
    tags text not null default '{}',
    properties text not null default '{}',
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text,
    unique (workspace_id, name)
);
create unique index pipeline_endpoints_by_request on pipeline_endpoints (workspace_id, request_id) where request_id is not null;

create table pipeline_endpoint_versions (
    endpoint_id text not null references pipeline_endpoints (id) on delete cascade,
    version integer not null,                   -- 0, 1, ...: never given twice
    pipeline_id text not null references pipelines (id),
    created_at text not null,
    request_id text,                            -- of the request that added it
    primary key (endpoint_id, version),
    unique (endpoint_id, pipeline_id)
) without rowid;
create index pipeline_endpoint_versions_by_pipeline on pipeline_endpoint_versions (pipeline_id);

create table pipeline_drafts (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    description text,
    experiment_name text not null,
    graph_id text not null references graphs (id),
    interpreter text,
    parameters text not null default '{}',      -- the values that its runs get
    continue_on_step_failure integer not null default 0,
    tags text not null default '{}',
    properties text not null default '{}',
    parent_pipeline_id text,
    parent_pipeline_run_id text,
    parent_step_run_ids text not null default '[]',
    parent_draft_id text,
    last_run_id text,
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text
);
create index pipeline_drafts_by_workspace on pipeline_drafts (workspace_id, created_at);
create unique index pipeline_drafts_by_request on pipeline_drafts (workspace_id, request_id) where request_id is not null;

create table modules (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    description text,
    status text not null default 'Active',      -- Active, Deprecated, Disabled
    default_version text,                       -- a pointer; null until one is set
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text,
    unique (workspace_id, name)
);

create table module_versions (                  -- what one holds never changes; its status and description do
    id text primary key,
    module_id text not null references modules (id) on delete cascade,
    version text not null,
    description text,
    status text not null default 'Active',
    category text,
    definition text not null,                   -- JSON: the step (penstock.model.graph.StepNode, ports not connected) and its interface
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text,
    unique (module_id, version)
);

create table schedules (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,                         -- need not be unique
    description text,
    status text not null default 'Active',      -- Active, Disabled
    kind text not null,                         -- Recurrence, DataStore
    pipeline_id text references pipelines (id),
    endpoint_id text references pipeline_endpoints (id),
    submission text not null default '{}',      -- JSON: experiment_name, parameters, description, continue_on_step_failure ...
    recurrence text,                            -- JSON: frequency, interval, start_time, time_zone, hours, minutes, week_days
    trigger text,                               -- JSON: datastore, polling_interval (minutes), path, parameter
    catch_up text,                              -- none, last, all: what becomes of ticks that nobody was there for; null: as the setting says
    anchor_at text not null,                    -- from when a recurrence without a start time counts; since when files are new to a data-driven one
    next_at text,                               -- when it is due next; null while it is disabled or has ended
    seen_at text,                               -- when it last did something; a data-driven one: looked; null: what is there now is no change
    error text,                                 -- why it can't fire, in words; null while it can
    created_at text not null,
    modified_at text not null,
    created_by text,
    request_id text
);
create index schedules_by_workspace on schedules (workspace_id, created_at);
create index schedules_by_pipeline on schedules (pipeline_id);
create index schedules_by_endpoint on schedules (endpoint_id);
create index schedules_due on schedules (next_at) where next_at is not null;
create unique index schedules_by_request on schedules (workspace_id, request_id) where request_id is not null;

create table schedule_ticks (                   -- one row a tick, written with its run or not at all: the key makes it happen once
    schedule_id text not null references schedules (id) on delete cascade,
    due_at text not null,
    subject text not null default '',           -- the changed file of a data-driven schedule whose pipeline asks for it
    at text not null,                           -- when it was done
    outcome text not null,                      -- Submitted, Skipped, Failed
    run_id text,                                -- of a submitted one; kept when the run is deleted
    reason text not null,
    missed_count integer not null default 1,    -- of a skipped one: how many ticks it stands for, the first at due_at ...
    missed_until text,                          -- ... and the last here
    primary key (schedule_id, due_at, subject)
) without rowid;
create index schedule_ticks_by_run on schedule_ticks (run_id) where run_id is not null;

create table schedule_files (                   -- what a data-driven schedule saw last
    schedule_id text not null references schedules (id) on delete cascade,
    path text not null,
    stamp text not null,                        -- size and time, and the store's own tag
    primary key (schedule_id, path)
) without rowid;

-- Where a pipeline run comes from, and whether its steps have rows already: runs that others submit wait as one row.
alter table pipeline_runs add column pipeline_id text;
alter table pipeline_runs add column endpoint_id text;
alter table pipeline_runs add column schedule_id text;
alter table pipeline_runs add column step_tags text not null default '{}';
alter table pipeline_runs add column waits_since text;  -- accepted, steps not laid out yet; null once they are
create index pipeline_runs_by_pipeline on pipeline_runs (pipeline_id) where pipeline_id is not null;
create index pipeline_runs_by_endpoint on pipeline_runs (endpoint_id) where endpoint_id is not null;
create index pipeline_runs_by_schedule on pipeline_runs (schedule_id) where schedule_id is not null;
create index pipeline_runs_waiting on pipeline_runs (waits_since) where waits_since is not null;
