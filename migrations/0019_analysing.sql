-- Meals that were logged by a photo alone: what was in them is not known until it was looked at, or its owner was asked.
alter table meals add column state text not null default 'known'
    constraint meals_state_known check (state in ('known', 'analysing', 'asked'));

-- A day is not judged while there is one.
create index meals_analysing on meals (user_id, eaten_at) where state = 'analysing';

-- Whether a meal of a day is not known yet that counts for it: for a day after its log has closed, no longer. There are few such
-- meals, and perhaps a million players: it begins with the meals.
create function waits_for_photos(challenge uuid, which smallint, instant timestamptz) returns boolean
    language sql stable
    as $$
        with waiting as materialized (
            select user_id, eaten_at, logged_at from meals where state = 'analysing' and deleted_at is null
        )
        select exists (
            select from waiting m
            join rounds r on r.challenge_id = challenge and r.day = which
            join standings s on s.challenge_id = challenge and s.user_id = m.user_id
            where m.eaten_at >= r.starts_at and m.eaten_at < r.ends_at and m.logged_at < r.closes_at
              and instant < r.closes_at + interval '24 hours'
        )
    $$;
