-- A deleted account: its row stays without anything personal, because what was played refers to it.
alter table users add column deleted_at timestamptz;
