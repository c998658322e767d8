-- What meals are made of, and how they were before they were changed.
alter table meals
    add column contents jsonb,
    add column grade text constraint meals_grade_known check (grade in ('A', 'B', 'C', 'D', 'E', 'UNKNOWN'));

create table meal_versions (
    meal_id uuid        not null constraint meal_versions_meal_fk references meals on delete cascade,
    version integer     not null constraint meal_versions_count check (version > 0),
    until   timestamptz not null,
    meal    jsonb       not null,
    constraint meal_versions_pk primary key (meal_id, version)
);
