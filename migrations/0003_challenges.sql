-- Challenges, who plays in them, and their days.
create table challenges (
    id          uuid        not null constraint challenges_pk primary key constraint challenges_stream_fk references streams,
    host_id     uuid        not null constraint challenges_host_fk references users,
    title       text        not null constraint challenges_title_length check (char_length(title) between 1 and 80),
    description text        not null constraint challenges_description_length check (char_length(description) <= 2000),
    terms       jsonb       not null,
    status      text        not null constraint challenges_status_known
                                check (status in ('open', 'running', 'finished', 'cancelled')),
    seats       integer     not null constraint challenges_seats_range check (seats between 2 and 1000000),
    seats_taken integer     not null default 0 constraint challenges_seats_taken_range
                                check (seats_taken between 0 and seats),
    starts_at   timestamptz not null,
    ends_at     timestamptz not null,
    created_at  timestamptz not null
);

create index challenges_by_status on challenges (status, id desc);
create index challenges_by_host on challenges (host_id);

-- A player's standing: a projection of the challenge's stream, written by the journal alone, with the same function that
-- updates the live board. sort_key is the comparator's key: six big-endian numbers with their sign bits flipped, so that
-- bytes order as the numbers do, and `rank() over (order by sort_key)` is the rank.
create table standings (
    challenge_id uuid  not null constraint standings_challenge_fk references challenges,
    user_id      uuid  not null constraint standings_user_fk references users,
    nickname     text  not null,
    standing     jsonb not null,
    status       text  not null generated always as (standing ->> 'status') stored,
    sort_key     bytea not null constraint standings_sort_key_length check (octet_length(sort_key) = 24),
    constraint standings_pk primary key (challenge_id, user_id)
);

create index standings_by_user on standings (user_id);

-- A day of a challenge, with the deadlines it was promised. The referee works from these rows.
create table rounds (
    challenge_id uuid        not null constraint rounds_challenge_fk references challenges,
    day          smallint    not null constraint rounds_day_counts check (day > 0),
    starts_at    timestamptz not null,
    ends_at      timestamptz not null,
    closes_at    timestamptz not null,
    opened_at    timestamptz,
    judged_at    timestamptz,
    constraint rounds_pk primary key (challenge_id, day),
    constraint rounds_in_order check (starts_at <= ends_at and ends_at <= closes_at)
);

create index rounds_to_open on rounds (starts_at) where opened_at is null;
create index rounds_to_judge on rounds (closes_at) where judged_at is null;

-- What the referee said of one day of one player, and all it saw.
create table verdicts (
    challenge_id uuid        not null,
    user_id      uuid        not null,
    day          smallint    not null,
    verdict      text        not null constraint verdicts_verdict_known check (verdict in ('kept', 'missed')),
    points       integer     not null constraint verdicts_points_count check (points >= 0),
    findings     jsonb       not null,
    log          jsonb       not null,
    judged_at    timestamptz not null,
    constraint verdicts_pk primary key (challenge_id, day, user_id),
    constraint verdicts_round_fk foreign key (challenge_id, day) references rounds (challenge_id, day),
    constraint verdicts_standing_fk foreign key (challenge_id, user_id) references standings (challenge_id, user_id)
);

create index verdicts_by_player on verdicts (challenge_id, user_id, day);

-- Final places. They stay as they were told.
create table outcomes (
    challenge_id uuid    not null constraint outcomes_challenge_fk references challenges,
    user_id      uuid    not null constraint outcomes_user_fk references users,
    rank         integer not null constraint outcomes_rank_counts check (rank > 0),
    champion     boolean not null,
    nickname     text    not null,
    standing     jsonb   not null,
    constraint outcomes_pk primary key (challenge_id, user_id)
);

create index outcomes_by_rank on outcomes (challenge_id, rank, user_id);
create index outcomes_by_user on outcomes (user_id);
