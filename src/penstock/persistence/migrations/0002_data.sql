-- Datasets, what runs read and wrote, the files behind digests, and secrets.

create table secrets (
    workspace_id text not null references workspaces (id) on delete cascade,
    owner text not null,                        -- whose secret: 'datastore/<name>'
    name text not null,                         -- 'account_key', 'sas_token', ...
    value blob not null,                        -- encrypted; the key is in the home folder
    created_at text not null,
    primary key (workspace_id, owner, name)
) without rowid;

create table datasets (
    id text primary key,
    workspace_id text not null references workspaces (id) on delete cascade,
    hash text not null,                         -- sha256 of the definition's canonical text: equal definitions are one dataset
    definition text not null,
    created_at text not null,
    unique (workspace_id, hash)
);

create table dataset_versions (
    workspace_id text not null references workspaces (id) on delete cascade,
    name text not null,
    version integer not null,
    dataset_id text not null references datasets (id) on delete cascade,
    description text,
    tags text not null default '{}',
    created_at text not null,
    modified_at text not null,
    request_id text,                            -- of the request that registered it: sent twice, it finds its own work
    primary key (workspace_id, name, version)
);
create index dataset_versions_by_dataset on dataset_versions (dataset_id);

-- Which run read or wrote which dataset. Name and version are those of the moment; they stay when the registration goes.
create table lineage (
    run_id text not null references runs (id) on delete cascade,
    direction text not null,                    -- 'input' or 'output'
    port text not null default '',              -- the name under which the run knows it
    dataset_id text not null references datasets (id) on delete cascade,
    mode text,
    name text,
    version integer,
    at text not null,
    primary key (run_id, direction, port, dataset_id)
);
create index lineage_by_dataset on lineage (dataset_id);
create index lineage_by_name on lineage (name, version);

-- The files behind the digest of an input or output, so that a change can be named.
create table manifests (
    digest text primary key,
    entries blob not null,                      -- zlib; JSON list of [path, size, digest or the store's token, executable]
    created_at text not null
);

-- JSON, port -> facts: what the files of an input looked like that was not read before the start. Its content is read while the step runs.
alter table step_runs add column unread text;
