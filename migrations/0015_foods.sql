-- Foods: those of the table that comes with the server, and those that users have made for themselves.
create extension if not exists pg_trgm;

create table foods (
    id         text        not null constraint foods_pk primary key
                               constraint foods_id_length check (char_length(id) between 3 and 64),
    -- Whose it is; nobody else sees it.
    user_id    uuid        constraint foods_user_fk references users on delete cascade,
    name_ko    text,
    name_en    text,
    category   text        not null constraint foods_category_known
                               check (category in ('general', 'red_meat', 'cheese', 'fat', 'beverage', 'water')),
    per_100g   jsonb       not null,
    fruit_veg_legume_permille smallint constraint foods_share_range check (fruit_veg_legume_permille between 0 and 1000),
    has_sweetener boolean,
    servings   jsonb       not null,
    source     text        not null,
    licence    text        not null,
    made_at    timestamptz,
    -- Found no more, and still the food that meals were made of.
    retired_at timestamptz,
    constraint foods_have_a_name check (name_ko is not null or name_en is not null)
);

create index foods_by_user on foods (user_id, id) where user_id is not null;

-- A row for each name and alias. The keys are ASCII, whatever the language: trigrams of Hangul depend on the locale.
create table food_names (
    food_id  text not null constraint food_names_food_fk references foods on delete cascade,
    user_id  uuid,
    name     text not null,
    key      text collate "C" not null,
    initials text collate "C" not null,
    tier     smallint not null,
    constraint food_names_pk primary key (food_id, key)
);

create index food_names_by_likeness on food_names using gin (key gin_trgm_ops);
create index food_names_by_key on food_names (key);
create index food_names_by_initials on food_names (initials) where initials <> '';

-- Which edition of the table has been loaded.
create table food_tables (
    name    text  not null constraint food_tables_pk primary key,
    edition bytea not null
);
