-- Archives of all that is one's own. The key names the object; it is drawn before the object is written, so that none is
-- left that no row names. An account goes after its exports, not with them: the objects have to go first.
create table exports (
    id         uuid        not null constraint exports_pk primary key,
    user_id    uuid        not null constraint exports_user_fk references users,
    key        text        not null constraint exports_key_length check (char_length(key) = 48),
    asked_at   timestamptz not null,
    ready_at   timestamptz,
    expires_at timestamptz,
    constraint exports_ready_expires check ((ready_at is null) = (expires_at is null))
);

create index exports_by_user on exports (user_id, asked_at);
create unique index exports_one_unfinished on exports (user_id) where ready_at is null;
