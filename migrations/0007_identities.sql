-- Signing in through others. A user is found by provider and subject, and by nothing else: an e-mail proves nothing here.
create table identities (
    provider     text        not null constraint identities_provider_length check (char_length(provider) between 1 and 32),
    subject      text        not null constraint identities_subject_length check (char_length(subject) between 1 and 255),
    user_id      uuid        not null constraint identities_user_fk references users on delete cascade,
    linked_at    timestamptz not null,
    last_used_at timestamptz not null,
    -- What the provider last said of the user: carried, never queried.
    profile      jsonb       not null,
    constraint identities_pk primary key (provider, subject),
    constraint identities_one_a_provider unique (user_id, provider)
);

-- Sign-ins that a browser has begun, until it comes back. State and browser are kept by their hashes.
create table oidc_flows (
    state_hash   bytea       not null constraint oidc_flows_pk primary key
                             constraint oidc_flows_state_hash_length check (octet_length(state_hash) = 32),
    browser_hash bytea       not null constraint oidc_flows_browser_hash_length check (octet_length(browser_hash) = 32),
    provider     text        not null,
    nonce        text        not null,
    verifier     text        not null,
    return_to    text,
    begun_at     timestamptz not null
);

create index oidc_flows_by_age on oidc_flows (begun_at);

-- What a browser that has come back exchanges for a session, by its hash.
create table oidc_tickets (
    hash         bytea       not null constraint oidc_tickets_pk primary key
                             constraint oidc_tickets_hash_length check (octet_length(hash) = 32),
    browser_hash bytea       not null constraint oidc_tickets_browser_hash_length check (octet_length(browser_hash) = 32),
    user_id      uuid        not null constraint oidc_tickets_user_fk references users on delete cascade,
    made_at      timestamptz not null
);

create index oidc_tickets_by_age on oidc_tickets (made_at);

-- Events of providers that were taken, so that one that is sent again does nothing.
create table oidc_events (
    provider text        not null,
    jti      text        not null constraint oidc_events_jti_length check (char_length(jti) between 1 and 255),
    taken_at timestamptz not null,
    constraint oidc_events_pk primary key (provider, jti)
);

create index oidc_events_by_age on oidc_events (taken_at);
