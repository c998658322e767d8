-- Products that were asked for by their barcode, as Open Food Facts told of them. Its database is under the ODbL, so what is
-- from it is kept apart: here, and in rows of foods whose ids begin with `off:` and whose names are in no search.
-- Nobody's doing is kept: not who asked, and not how often.
create table products (
    barcode    text        not null constraint products_pk primary key
                           constraint products_barcode_form check (barcode ~ '^([0-9]{8}|[0-9]{13,14})$'),
    fetched_at timestamptz not null,
    -- Nothing when there is no such product, or none that can be a food.
    food_id    text        constraint products_food_fk references foods,
    -- Why the newest answer made no food. One from an older answer may still be there.
    refusal    text,
    -- As it came. No jsonb, which refuses numbers and letters that JSON may have.
    answer     text        not null
);
