-- Codes sent by mail, one of a purpose at a time. What is stored is an HMAC with a key that is not in the database: six
-- digits are soon guessed.
create table codes (
    user_id     uuid        not null constraint codes_user_fk references users on delete cascade,
    purpose     text        not null constraint codes_purpose_known check (purpose in ('verify_email', 'reset_password')),
    hash        bytea       not null constraint codes_hash_length check (octet_length(hash) = 32),
    sent_to     text        not null,
    expires_at  timestamptz not null,
    tries_left  smallint    not null constraint codes_tries_left_counts check (tries_left >= 0),
    hour_began  timestamptz not null,
    sent_in_hour smallint   not null,
    constraint codes_pk primary key (user_id, purpose)
);
