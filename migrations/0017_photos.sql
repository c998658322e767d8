-- Every photo that is stored. The row is there before the files are, so that none is left which nothing names.
create table photos (
    key      text        not null constraint photos_pk primary key
                         constraint photos_key_length check (char_length(key) = 48),
    user_id  uuid        not null constraint photos_user_fk references users,
    -- On the clock of play: so many a day.
    at       timestamptz not null,
    -- By the clock on the wall: then it is removed. None while a meal or a profile shows it.
    goes_at  timestamptz,
    -- SHA-256 of the file as it came.
    original bytea,
    -- How it looks: whether it gets brighter from left to right, in 8 times 8 places.
    looks    bigint,
    -- The same in four parts: of two pictures that differ in three places at most, one part is equal.
    bands    integer[]   generated always as (array[
                             ((looks >> 48) & 65535)::integer,
                             ((looks >> 32) & 65535)::integer + 65536,
                             ((looks >> 16) & 65535)::integer + 131072,
                             (looks & 65535)::integer + 196608
                         ]) stored
);

create index photos_by_user on photos (user_id, at);
create index photos_by_end on photos (goes_at) where goes_at is not null;
create index photos_by_original on photos (original);
create index photos_by_looks on photos using gin (bands);

insert into photos (key, user_id, at, goes_at)
select photo ->> 'key', user_id, logged_at, deleted_at from meals where photo is not null
union all
select picture ->> 'key', id, created_at, null from users where picture is not null;
