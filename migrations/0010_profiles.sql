-- What users tell of themselves.
alter table users
    add column zone text not null default 'Asia/Seoul',
    add column visibility text not null default 'everyone'
        constraint users_visibility_known check (visibility in ('everyone', 'nobody')),
    add column picture jsonb;

-- What was agreed to, when, and taken back: a row for each time. The newest of a purpose holds.
create table consents (
    user_id uuid        not null constraint consents_user_fk references users on delete cascade,
    purpose text        not null constraint consents_purpose_known
                            check (purpose in ('service', 'health_data', 'public_display', 'ai_processing')),
    at      timestamptz not null,
    version smallint    not null constraint consents_version_counts check (version > 0),
    given   boolean     not null,
    constraint consents_pk primary key (user_id, purpose, at)
);

-- Health data: rows are here only while there is a consent to it.
create table bodies (
    user_id       uuid     not null constraint bodies_pk primary key
                               constraint bodies_user_fk references users on delete cascade,
    birth_year    smallint not null constraint bodies_birth_year_range check (birth_year between 1900 and 2200),
    sex           text     constraint bodies_sex_known check (sex in ('male', 'female')),
    height_mm     integer  constraint bodies_height_range check (height_mm between 1000 and 2500),
    goal_weight_g integer  constraint bodies_goal_range check (goal_weight_g between 20000 and 400000),
    activity      text     constraint bodies_activity_known
                               check (activity in ('sedentary', 'light', 'moderate', 'heavy', 'very_heavy')),
    targets       jsonb
);

create table weights (
    user_id  uuid    not null constraint weights_user_fk references users on delete cascade,
    date     date    not null,
    weight_g integer not null constraint weights_range check (weight_g between 20000 and 400000),
    constraint weights_pk primary key (user_id, date)
);
