-- The waist: every stream's events, numbered without gaps in commit order.
--
-- The row in streams is the stream's sequencer: whoever appends holds its lock until commit. A challenge's stream has
-- the challenge's id, a user's stream the user's.
create table streams (
    id     uuid   not null constraint streams_pk primary key,
    kind   text   not null constraint streams_kind_known check (kind in ('challenge', 'user')),
    last_n bigint not null default 0 constraint streams_last_n_counts check (last_n >= 0)
);

-- It grows without end: partitioned by stream, so that (stream_id, n) stays its primary key.
create table journal (
    stream_id uuid        not null constraint journal_stream_fk references streams,
    n         bigint      not null constraint journal_n_counts check (n > 0),
    at        timestamptz not null,
    event     jsonb       not null,
    constraint journal_pk primary key (stream_id, n)
) partition by hash (stream_id);

create table journal_0 partition of journal for values with (modulus 8, remainder 0);
create table journal_1 partition of journal for values with (modulus 8, remainder 1);
create table journal_2 partition of journal for values with (modulus 8, remainder 2);
create table journal_3 partition of journal for values with (modulus 8, remainder 3);
create table journal_4 partition of journal for values with (modulus 8, remainder 4);
create table journal_5 partition of journal for values with (modulus 8, remainder 5);
create table journal_6 partition of journal for values with (modulus 8, remainder 6);
create table journal_7 partition of journal for values with (modulus 8, remainder 7);
