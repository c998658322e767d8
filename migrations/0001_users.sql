-- Accounts. E-mail and nickname are unique regardless of case.
create table users (
    id            uuid        not null constraint users_pk primary key,
    email         text        not null constraint users_email_length check (char_length(email) between 3 and 254),
    nickname      text        not null constraint users_nickname_length check (char_length(nickname) between 2 and 50),
    password_hash text        not null,
    created_at    timestamptz not null
);

create unique index users_email_unique on users (lower(email));
create unique index users_nickname_unique on users (lower(nickname));
