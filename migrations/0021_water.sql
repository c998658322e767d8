-- What a user drank of water on a date of the diary: one sum, which the user sets.
create table waters (
    user_id  uuid    not null constraint waters_user_fk references users on delete cascade,
    date     date    not null,
    water_ml integer not null constraint waters_range check (water_ml between 1 and 20000),
    constraint waters_pk primary key (user_id, date)
);
