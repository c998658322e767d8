-- Sessions, and what the accounts need for them. Times are of the real clock, not of the clock of play.
alter table users
    alter column email drop not null,
    alter column password_hash drop not null,
    add column email_verified_at timestamptz,
    add column role text not null default 'user'
        constraint users_role_known check (role in ('user', 'moderator', 'admin')),
    add column language text not null default 'ko' constraint users_language_known check (language in ('ko', 'en')),
    add column blocked_at timestamptz;

-- Somewhere a user is signed in. One that has ended is kept while its access tokens could still be shown.
create table sessions (
    id           uuid        not null constraint sessions_pk primary key,
    user_id      uuid        not null constraint sessions_user_fk references users on delete cascade,
    device       text        not null constraint sessions_device_length check (char_length(device) <= 64),
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    last_address text,
    ends_at      timestamptz not null,
    ended_at     timestamptz,
    ended_why    text constraint sessions_ended_why_known check (
                     ended_why in ('logged_out', 'ended', 'replaced', 'reuse', 'password', 'blocked', 'unlinked', 'deleted')
                 ),
    constraint sessions_end_has_reason check ((ended_at is null) = (ended_why is null))
);

create index sessions_by_user on sessions (user_id, last_seen_at) where ended_at is null;
create index sessions_by_end on sessions (ended_at) where ended_at is not null;

-- Refresh tokens by their hash. A spent one keeps the nonce from which, with the token itself, its successor follows: who
-- lost the answer gets the same one again, and the table alone gives none away.
create table refresh_tokens (
    hash       bytea       not null constraint refresh_tokens_pk primary key
                           constraint refresh_tokens_hash_length check (octet_length(hash) = 32),
    session_id uuid        not null constraint refresh_tokens_session_fk references sessions on delete cascade,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    spent_at   timestamptz,
    nonce      bytea,
    constraint refresh_tokens_spent_has_nonce check ((spent_at is null) = (nonce is null))
);

create index refresh_tokens_by_session on refresh_tokens (session_id);
-- Of each session one token at most is not spent.
create unique index refresh_tokens_newest on refresh_tokens (session_id) where spent_at is null;

-- Keys of access tokens. A key is made from the server's secret and this id, so none is stored here.
create table signing_keys (
    id      uuid        not null constraint signing_keys_pk primary key,
    made_at timestamptz not null
);
