-- Numbers the accounts that `lastbite-loadtest` has made, for sql/meal.pgbench.sql to take one by chance.
create table if not exists load_accounts (number integer primary key, id uuid not null);
truncate load_accounts;
insert into load_accounts select row_number() over (order by id), id from users where nickname like 'load\_________\_%';
vacuum analyze load_accounts;
select count(*) as accounts from load_accounts;
