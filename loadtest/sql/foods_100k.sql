-- Fills the food table to 100,000 foods: variants of those that are there, as brands and kitchens name them. A Korean food
-- is found by a Korean and an English name, as those of the table are; another one by its English name.
--
-- For a database of its own, once the server has been started on it. Whoever runs it again gets the same rows.
\set ON_ERROR_STOP on
begin;

-- As src/foods/key.rs makes keys and first consonants; below it is held against the rows that the server has made.
create function pg_temp.typed(letter text) returns text[] language plpgsql immutable strict as $$
declare
    leads text[] := '{r,r,s,e,e,f,a,q,q,t,t,d,w,w,c,z,x,v,g}';
    vowels text[] := '{k,o,i,o,j,p,u,p,h,hk,ho,hl,y,n,nj,np,nl,b,m,ml,l}';
    tails text[] := '{"",r,r,rt,s,sw,sg,e,f,fr,fa,fq,ft,fx,fv,fg,a,q,qt,t,t,d,w,c,z,x,v,g}';
    syllable integer := ascii(letter) - 44032;
begin
    if syllable not between 0 and 11171 then
        return null;
    end if;
    return array[leads[syllable / 588 + 1], vowels[syllable % 588 / 28 + 1], tails[syllable % 28 + 1]];
end
$$;

create function pg_temp.key_of(name text) returns text language plpgsql immutable strict as $$
declare
    key text := '';
    letter text;
    letters text[];
    was_latin boolean := false;
    gap boolean := false;
begin
    foreach letter in array string_to_array(name, null) loop
        letters := pg_temp.typed(letter);
        if letters is not null then
            key := key || array_to_string(letters, '');
            was_latin := false;
            gap := false;
        elsif letter ~ '^[A-Za-z0-9]$' then
            key := key || case when gap and was_latin then ' ' else '' end || lower(letter);
            was_latin := true;
            gap := false;
        else
            gap := true;
        end if;
    end loop;
    return key;
end
$$;

create function pg_temp.initials_of(name text) returns text language sql immutable strict as $$
    select coalesce(string_agg((pg_temp.typed(letter))[1], '' order by place), '')
    from unnest(string_to_array(name, null)) with ordinality as letters (letter, place)
$$;

delete from food_names where food_id like 'load:%';
delete from foods where id like 'load:%';

do $$
declare
    strange text;
begin
    select name into strange from food_names
    where key <> pg_temp.key_of(name) or initials <> pg_temp.initials_of(name) limit 1;
    if found then
        raise exception 'the server makes keys differently now: %', strange;
    end if;
    if not exists (select from food_names) then
        raise exception 'no food is there: start the server once';
    end if;
end
$$;

create temporary table variants on commit drop as
with korean as (
    select id as of, format('%s %s%s', before, name_ko, after) as name_ko, format('%s, %s', name_en, word) as name_en, 0 as turn
    from foods,
         unnest(
             '{매운,순한,옛날,시골,할머니,엄마손,즉석,냉동,수제,국산,유기농,저염,프리미엄,한입,통통,바로,오늘,고향,남도,전주,부산,제주,강원,서울,왕,미니,참,숯불,얼큰,두번}'::text[],
             '{spicy,mild,old style,country style,grandma''s,homestyle,instant,frozen,handmade,domestic,organic,low salt,premium,bite size,plump,ready,daily,hometown,southern,Jeonju,Busan,Jeju,Gangwon,Seoul,king,mini,pure,charcoal,hot,double}'::text[]
         ) as words (before, word),
         unnest('{""," 컵"," 대용량"}'::text[]) as sizes (after)
    where user_id is null and retired_at is null and name_ko is not null
), english as (
    select id as of, null as name_ko, format('%s %s%s', before, name_en, after) as name_en, 1 as turn
    from foods,
         unnest('{Homemade,Organic,Farmhouse,Classic}'::text[]) as words (before),
         unnest('{"",", family size"}'::text[]) as sizes (after)
    where user_id is null and retired_at is null and name_ko is null
)
select format('load:%s', row_number() over (order by turn, md5(concat(of, name_ko, name_en)))) as id, of, name_ko, name_en
from (select * from korean union all select * from english) as all_of_them
order by turn, md5(concat(of, name_ko, name_en))
limit (select 100000 - count(*) from foods);

insert into foods (id, name_ko, name_en, category, per_100g, fruit_veg_legume_permille, has_sweetener, servings, source, licence)
select v.id, v.name_ko, v.name_en, f.category, f.per_100g, f.fruit_veg_legume_permille, f.has_sweetener, f.servings, f.source,
       f.licence
from variants v join foods f on f.id = v.of;

insert into food_names (food_id, name, key, initials, tier)
select id, name, pg_temp.key_of(name), pg_temp.initials_of(name), tier
from (
    select id, name_ko as name, 1 as tier from variants where name_ko is not null
    union all
    select id, name_en, case when name_ko is null then 3 else 2 end from variants where name_en is not null
) as named
on conflict do nothing;

commit;
vacuum (analyze) foods, food_names;
select (select count(*) from foods) as foods, (select count(*) from food_names) as names;
