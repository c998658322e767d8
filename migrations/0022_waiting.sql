-- The photos of whom no verdict is due any more hold up nobody.
create or replace function waits_for_photos(challenge uuid, which smallint, instant timestamptz) returns boolean
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
              and (s.status = 'alive' or (s.status = 'left' and (s.standing ->> 'left_at')::timestamptz >= r.closes_at))
        )
    $$;
