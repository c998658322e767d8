-- The diary. It grows without end: one partition a month, by the time that an id of version 7 carries, so that the id
-- alone stays its primary key.
create table meals (
    id              uuid        not null,
    user_id         uuid        not null constraint meals_user_fk references users,
    kind            text        not null constraint meals_kind_known
                                    check (kind in ('breakfast', 'lunch', 'snack', 'dinner')),
    eaten_at        timestamptz not null,
    zone            text        not null,
    local_date      date        not null,
    note            text        not null constraint meals_note_length check (char_length(note) <= 500),
    energy_kcal     integer     not null constraint meals_energy_range check (energy_kcal between 0 and 10000),
    carbohydrate_mg integer     constraint meals_carbohydrate_range check (carbohydrate_mg between 0 and 2000000),
    protein_mg      integer     constraint meals_protein_range check (protein_mg between 0 and 2000000),
    fat_mg          integer     constraint meals_fat_range check (fat_mg between 0 and 2000000),
    photo           jsonb,
    logged_at       timestamptz not null,
    edited_at       timestamptz,
    deleted_at      timestamptz,
    constraint meals_pk primary key (id)
) partition by range (id);

create index meals_by_time on meals (user_id, eaten_at);
create index meals_by_date on meals (user_id, local_date, id) where deleted_at is null;

-- Catches what no month has a partition for; it stays empty while months are made ahead.
create table meals_elsewhen partition of meals default;

-- The least id of version 7 of an instant.
create function first_id_of(instant timestamptz) returns uuid
    language sql immutable strict
    as $$ select (lpad(to_hex((extract(epoch from instant) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;

-- Makes the partitions of the month of `instant` and of `ahead` months after it.
create function make_meal_partitions(instant timestamptz, ahead integer) returns void
    language plpgsql
    as $$
declare
    month timestamptz;
begin
    -- Two nodes that start at the same moment would both find a month missing.
    perform pg_advisory_xact_lock(hashtext('make_meal_partitions'));
    for i in 0..ahead loop
        month := (date_trunc('month', instant at time zone 'UTC') + make_interval(months => i)) at time zone 'UTC';
        execute format(
            'create table if not exists meals_%s partition of meals for values from (%L) to (%L)',
            to_char(month at time zone 'UTC', 'YYYY_MM'),
            first_id_of(month),
            first_id_of((month at time zone 'UTC' + interval '1 month') at time zone 'UTC')
        );
    end loop;
end
$$;
