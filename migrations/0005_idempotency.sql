-- Answers already given to a write that a client may send again. The row is written in the transaction of the write.
create table idempotency_keys (
    user_id      uuid        not null constraint idempotency_keys_user_fk references users,
    route        text        not null,
    key          text        not null constraint idempotency_keys_key_length check (char_length(key) between 16 and 255),
    request_hash bytea       not null,
    status       smallint    not null,
    answer       jsonb       not null,
    created_at   timestamptz not null,
    constraint idempotency_keys_pk primary key (user_id, route, key)
);

create index idempotency_keys_by_age on idempotency_keys (created_at);
