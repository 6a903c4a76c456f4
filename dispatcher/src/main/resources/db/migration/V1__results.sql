-- One row for each call that was made or tried. Permits handed back unused leave none.
create table results (
    job_id       uuid        not null,
    attempt      int         not null,
    permit       bigint      not null,
    tenant       text        not null,
    upstream     text        not null,
    kind         text        not null,
    slot         timestamptz not null,
    started_at   timestamptz,
    ended_at     timestamptz not null,
    http_status  int,
    headers      jsonb,
    body         bytea,
    body_is_text boolean     not null default false,
    cut          boolean     not null default false,
    error        text,
    recorded_at  timestamptz not null default now(),
    primary key (job_id, attempt)
);

comment on column results.permit is 'number of the permit within its upstream';
comment on column results.kind is 'answered, failed or refused';
comment on column results.body is 'the answer''s body as it came, at most 1 MiB; cut says whether there was more';
comment on column results.error is 'why there is no answer';
