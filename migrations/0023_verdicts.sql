-- A day can be a cheat day, or void; and one player's photo that nobody has seen through keeps that player waiting, not all.
alter table verdicts drop constraint verdicts_verdict_known;
alter table verdicts add constraint verdicts_verdict_known check (verdict in ('kept', 'missed', 'cheat', 'void'));

-- Days that players asked to have off. The allowance is counted from these rows.
create table cheat_days (
    challenge_id uuid        not null,
    user_id      uuid        not null,
    day          smallint    not null constraint cheat_days_day_counts check (day > 0),
    asked_at     timestamptz not null,
    constraint cheat_days_pk primary key (challenge_id, user_id, day),
    constraint cheat_days_standing_fk foreign key (challenge_id, user_id) references standings (challenge_id, user_id)
        on delete cascade
);

-- How many players were waited for when the others of a due day had been judged.
alter table rounds add column waited_for integer
    constraint rounds_waited_for_count check (waited_for > 0);

-- When a meal's owner was asked what was on its photo.
alter table meals add column asked_at timestamptz;
create index meals_asked on meals (asked_at) where state = 'asked';

drop function waits_for_photos;

-- Whose verdict of which day waits for what was on a photo: one that is being looked at, or whose owner was asked only after the log
-- had closed. For a day after that, no longer. There are few such meals, and perhaps a million players: it begins with the meals.
create function waits_for_photos(instant timestamptz)
    returns table (challenge_id uuid, day smallint, user_id uuid, meal_id uuid)
    language sql stable
    as $$
        with waiting as materialized (
            select m.id, m.user_id, m.eaten_at, m.logged_at, null::timestamptz as asked_at from meals m
            where m.state = 'analysing' and m.deleted_at is null
            union all
            select m.id, m.user_id, m.eaten_at, m.logged_at, m.asked_at from meals m
            where m.state = 'asked' and m.deleted_at is null and m.asked_at > instant - interval '2 days'
        )
        select r.challenge_id, r.day, s.user_id, m.id
        from waiting m
        join standings s on s.user_id = m.user_id
        join rounds r on r.challenge_id = s.challenge_id and r.judged_at is null
                     and m.eaten_at >= r.starts_at and m.eaten_at < r.ends_at and m.logged_at < r.closes_at
        where instant >= r.closes_at and instant < r.closes_at + interval '24 hours'
          and (m.asked_at is null or m.asked_at >= r.closes_at)
          and (s.status = 'alive' or (s.status = 'left' and (s.standing ->> 'left_at')::timestamptz >= r.closes_at))
          and not exists (
              select from verdicts v where v.challenge_id = r.challenge_id and v.day = r.day and v.user_id = s.user_id
          )
    $$;
