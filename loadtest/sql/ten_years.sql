-- Two users to compare: `load_ten_years` has logged four meals a day for ten years, `load_new` for the last whole month.
-- Both weigh themselves every week and play challenges of 30 days: one a month, every third month; the newest one together.
--
-- For a database of its own, once the server has been started on it, and once only. `eating.py` signs in with the password
-- whose hash stands here, so nobody else is to reach that server.
\set ON_ERROR_STOP on
set client_min_messages = warning;
begin;

create temporary table people on commit drop as
select (left(first_id_of(now())::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid as id, nickname, first_day, last_day
from (
    values
        ('load_ten_years', (date_trunc('month', now()) - interval '10 years')::date, current_date - 1),
        ('load_new', (date_trunc('month', now()) - interval '1 month')::date, (date_trunc('month', now()) - interval '1 day')::date)
) as wished (nickname, first_day, last_day);

insert into users (id, email, nickname, password_hash, language, created_at)
select id, nickname || '@loadtest.lastbite.example', nickname,
       '$argon2id$v=19$m=19456,t=2,p=1$FEyzRuaIoVkp0tW8lZEk9A$kvpqRCvabW8NnJ86O11V1NjQMNGT0OVcvDan9TBfPgk', 'en', first_day
from people;

-- A month back as well: what is eaten on its first days may have been logged on the last of the one before.
do $$ begin perform make_meal_partitions(min(first_day) - interval '1 month', 124) from people; end $$;

-- What they eat: 300 foods of the table, as items of a meal.
create temporary table dishes on commit drop as
select row_number() over (order by md5(id)) - 1 as number,
       jsonb_strip_nulls(jsonb_build_object(
           'food', id, 'name_ko', name_ko, 'name_en', name_en, 'grams_dg', grams_dg, 'weighed', false, 'category', category,
           'fruit_veg_legume_permille', fruit_veg_legume_permille, 'has_sweetener', has_sweetener,
           'nutrients', (
               select jsonb_object_agg(key, round(value::numeric * grams_dg / 1000)) from jsonb_each_text(per_100g)
           )
       )) as item
from (
    select *, least(coalesce((servings -> 0 ->> 'grams_dg')::integer, 1000), 3000) as grams_dg
    from foods where id like 'ko:%' order by md5(id) limit 300
) as favourites;

create temporary table eaten on commit drop as
select (left(first_id_of(logged_at)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid as id, user_id, kind, eaten_at,
       day, logged_at, items, nutrients
from (
    select p.id as user_id, kind, day, hour, (day + hour * interval '1 hour') at time zone 'Asia/Seoul' as eaten_at,
           (day + hour * interval '1 hour' + interval '10 minutes') at time zone 'Asia/Seoul' as logged_at
    from people p
    cross join lateral (select generate_series(p.first_day, p.last_day, interval '1 day')::date as day) as days
    cross join (values ('breakfast', 8), ('lunch', 12), ('snack', 16), ('dinner', 19)) as kinds (kind, hour)
) as times
cross join lateral (
    select jsonb_agg(item) as items, jsonb_agg(item -> 'nutrients') as parts from dishes
    where number in ((day - date '2000-01-01') * 7 % 300, ((day - date '2000-01-01') * 11 + hour) % 300, hour * 13 % 300)
) as plate
cross join lateral (
    -- What is unknown of one item is unknown of the whole.
    select jsonb_object_agg(key, amount) as nutrients
    from (
        select key, sum(part_amount::numeric) as amount
        from jsonb_array_elements(parts) as each (part), jsonb_each_text(part) as nutrient (key, part_amount)
        group by key having count(*) = jsonb_array_length(parts)
    ) as sums
) as whole;

insert into meals (id, user_id, kind, eaten_at, zone, local_date, note, energy_kcal, carbohydrate_mg, protein_mg, fat_mg,
                   logged_at, contents, grade)
select id, user_id, kind, eaten_at, 'Asia/Seoul', day, 'load test', (nutrients ->> 'energy_kcal')::integer,
       (nutrients ->> 'carbohydrate_mg')::integer, (nutrients ->> 'protein_mg')::integer, (nutrients ->> 'fat_mg')::integer,
       logged_at,
       jsonb_build_object(
           'items', items, 'nutrients', nutrients,
           'energy_kcal_low', round((nutrients ->> 'energy_kcal')::numeric * 0.8),
           'energy_kcal_high', round((nutrients ->> 'energy_kcal')::numeric * 1.2),
           'grade', 'B', 'grade_score', 1, 'grade_estimated', false
       ),
       'B'
from eaten;

insert into streams (id, kind, last_n)
select user_id, 'user', count(*) from eaten group by user_id;

insert into journal (stream_id, n, at, event)
select user_id, row_number() over (partition by user_id order by id), logged_at,
       jsonb_build_object('type', 'meal_logged', 'meal', id)
from eaten;

insert into weights (user_id, date, weight_g)
select id, day::date, 70000 + (day::date - first_day) % 1000 from people, generate_series(first_day, last_day, interval '7 days') as day;

create temporary table played on commit drop as
select gen_random_uuid() as id, first_day, first_day::timestamp at time zone 'Asia/Seoul' as starts_at
from (
    select (date_trunc('month', now()) - months * interval '1 month')::date as first_day
    from generate_series(1, 118, 3) as months
    -- February has no 30 days.
    where extract(month from date_trunc('month', now()) - months * interval '1 month') <> 2 or months = 1
) as months;

insert into streams (id, kind) select id, 'challenge' from played;

insert into challenges (id, host_id, title, description, terms, status, seats, seats_taken, starts_at, ends_at, created_at)
select c.id, p.id, 'Load test', '',
       jsonb_build_object(
           'version', 1, 'zone', 'Asia/Seoul', 'first_day', c.first_day, 'days', 30, 'day_starts_at', '00:00', 'lives', 10,
           'grace_minutes', 120, 'seats', 100, 'min_players', 1,
           'requirements', '[{"kind": "calories", "target_kcal": 2000, "tolerance_kcal": 500}]'::jsonb
       ),
       'finished', 100, 1, starts_at, starts_at + interval '30 days', starts_at - interval '1 day'
from played c join people p on p.nickname = 'load_ten_years';

insert into rounds (challenge_id, day, starts_at, ends_at, closes_at, opened_at, judged_at)
select id, day, starts_at + (day - 1) * interval '1 day', starts_at + day * interval '1 day',
       starts_at + day * interval '1 day' + interval '2 hours', starts_at, starts_at + day * interval '1 day' + interval '2 hours'
from played, generate_series(1, 30) as day;

insert into standings (challenge_id, user_id, nickname, standing, sort_key)
select c.id, p.id, p.nickname,
       jsonb_build_object(
           'status', 'survived', 'lives_left', 8, 'days_kept', 28, 'days_missed', 2, 'streak', 7, 'best_streak', 14, 'points', 2800,
           'deviation_permille_sum', 1500, 'recent', 'KKKKKKK'
       ),
       decode(repeat('00', 24), 'hex')
from played c join people p on p.first_day <= c.first_day;

insert into verdicts (challenge_id, user_id, day, verdict, points, findings, log, judged_at)
select s.challenge_id, s.user_id, r.day, case when r.day % 15 = 0 then 'missed' else 'kept' end, 100, '[]', '[]', r.judged_at
from standings s join played c on c.id = s.challenge_id join rounds r on r.challenge_id = c.id;

commit;
vacuum (analyze) meals, journal, weights, challenges, rounds, standings, verdicts, streams, users;
select u.nickname, count(*) as meals, min(m.local_date), max(m.local_date),
       (select count(*) from standings s where s.user_id = u.id) as challenges
from users u join meals m on m.user_id = u.id where u.nickname in ('load_ten_years', 'load_new') group by u.id;
