-- Failed sign-ins, counted by account and by address. The key is a hash: an address of mail that was only tried is nobody's
-- to keep.
create table guesses (
    key        bytea       not null constraint guesses_pk primary key
                           constraint guesses_key_length check (octet_length(key) = 32),
    failures   integer     not null constraint guesses_failures_count check (failures > 0),
    since      timestamptz not null,
    wait_until timestamptz
);

create index guesses_by_age on guesses (since);
