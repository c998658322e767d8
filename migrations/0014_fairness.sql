-- What strangers cannot use up, and who is kept safe.

-- A try is counted before anything is compared, and taken back when it was right.
alter table guesses
    drop constraint guesses_failures_count,
    add constraint guesses_failures_count check (failures >= 0);

-- Letters that were asked for from where the owner is signed in; strangers do not use them up.
alter table codes add column sent_to_owner_in_hour smallint not null default 0;

-- Whether whoever began said to be 14 or older, should it become an account.
alter table oidc_flows add column at_least_14 boolean not null default false;

-- Bars challenges about calories.
alter table bodies add column pregnant boolean not null default false;
