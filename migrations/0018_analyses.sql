-- What was seen on a photo. The row is there before anybody looks, so that each look counts.
create table analyses (
    id       uuid        not null constraint analyses_pk primary key,
    user_id  uuid        not null constraint analyses_user_fk references users,
    photo    jsonb       not null,
    -- None when the photo is gone.
    key      text        constraint analyses_photo_fk references photos on delete set null,
    -- On the clock of play: so many a day.
    made_at  timestamptz not null,
    -- Who answered, which model, to which question, and what, word for word; none when nobody did.
    provider text,
    model    text,
    version  text,
    raw      jsonb,
    guesses  jsonb,
    -- Whether somebody outside this server was asked.
    outside  boolean     not null default false,
    -- The meal that it became.
    meal_id  uuid
);

create index analyses_by_user on analyses (user_id, made_at);
create index analyses_by_key on analyses (key);
create index analyses_by_meal on analyses (meal_id) where meal_id is not null;
create index analyses_unused on analyses (made_at) where meal_id is null;
create index analyses_outside on analyses (made_at) where outside;
