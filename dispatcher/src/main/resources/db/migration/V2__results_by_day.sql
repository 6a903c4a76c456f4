-- One partition a day, so that what is too old goes without a trace and without a vacuum. The day is that of the permit's slot
-- (UTC). The results writer makes the partitions and drops them.
alter table results rename to results_before_partitions;
alter table results_before_partitions rename constraint results_pkey to results_before_partitions_pkey;

create table results (
    day          date        not null,
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
    primary key (job_id, attempt, day)
) partition by range (day);
create index results_upstream_slot on results (upstream, slot);

comment on table results is 'one row for each attempt of a job; permits handed back unused leave none';
comment on column results.day is 'of the slot, in UTC: name it in a query, and only its partition is read';
comment on column results.permit is 'number of the permit within its upstream';
comment on column results.kind is 'answered, failed or refused';
comment on column results.slot is 'the earliest moment at which the permit allowed the call';
comment on column results.started_at is 'when the call was about to be written; null when it never was';
comment on column results.ended_at is 'when the answer was complete, or the call had failed';
comment on column results.body is 'the answer''s body as it came; cut says whether there was more';
comment on column results.error is 'why there is no answer';

do $$
declare
    d date;
begin
    for d in select distinct (slot at time zone 'UTC')::date from results_before_partitions loop
        execute format(
            'create table %I partition of results for values from (%L) to (%L)',
            'results_' || to_char(d, 'YYYYMMDD'), d, d + 1);
    end loop;
end $$;

insert into results (day, job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at, http_status, headers,
                     body, body_is_text, cut, error, recorded_at)
select (slot at time zone 'UTC')::date, job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at,
       http_status, headers, body, body_is_text, cut, error, recorded_at
from results_before_partitions;
drop table results_before_partitions;

create view weir_attempts as
select day,
       upstream,
       tenant,
       job_id,
       attempt,
       kind,
       http_status,
       coalesce(http_status between 200 and 299, false)   as succeeded,
       slot,
       started_at,
       ended_at,
       extract(epoch from started_at - slot) * 1000       as lateness_ms,
       extract(epoch from ended_at - started_at) * 1000   as latency_ms,
       octet_length(body)                                 as body_bytes,
       cut,
       error
from results;
comment on view weir_attempts is 'each attempt with its status, latency and lateness in milliseconds';

create view weir_jobs as
select job_id,
       upstream,
       tenant,
       case
           when bool_or(http_status between 200 and 299) then 'succeeded'
           when (array_agg(kind order by attempt desc))[1] = 'refused' then 'dead'
           when (array_agg(http_status order by attempt desc))[1] between 100 and 499
               and (array_agg(http_status order by attempt desc))[1] not in (408, 425, 429) then 'dead'
           else 'failed'
       end                                                       as status,
       max(attempt)                                              as attempts,
       (array_agg(http_status order by attempt desc))[1]         as http_status,
       (array_agg(error order by attempt desc))[1]               as error,
       min(slot)                                                 as first_slot,
       max(ended_at)                                             as last_ended_at,
       extract(epoch from max(ended_at) - min(slot)) * 1000      as elapsed_ms,
       sum(extract(epoch from ended_at - started_at) * 1000)     as latency_ms,
       max(extract(epoch from started_at - slot) * 1000)         as most_lateness_ms
from results
group by job_id, upstream, tenant;
comment on view weir_jobs is 'each job that was called, with its attempts, latency and status';
comment on column weir_jobs.status is
    'succeeded; dead: no attempt could have helped; failed: so far, it is retried while its schedule lasts';
comment on column weir_jobs.latency_ms is 'of all its calls together';
comment on column weir_jobs.elapsed_ms is 'from the first slot to the end of the last call, the waits between retries included';
