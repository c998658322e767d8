-- When what a deleted account left behind was erased; until then it is to be done.
alter table users add column erased_at timestamptz;
create index users_to_erase on users (deleted_at) where deleted_at is not null and erased_at is null;
