//! A deleted account: nothing of it signs in, nothing of it can be found, and what was played stands.

use lastbite_protocol::{rest::SignedIn, socket::close};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Player, Viewer, World, facts, lunch, pictures,
    play::game,
    player::{PASSWORD, logs_in, refreshes},
    seoul, tells, until,
    uploads::{self, files_in},
};

impl Player {
    async fn deletes_account(&self, password: Option<&str>) -> Answer {
        let body = json!({ "password": password });
        Answer::of(self.api.request(Method::DELETE, "/api/v1/accounts/me").json(&body)).await
    }
}

/// Every table's rows as text.
async fn everything(world: &World) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables
         where table_schema in ('public', 'graphile_worker') and table_type = 'BASE TABLE'",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        // The food table is everybody's, and holds every number there is.
        let of_users = if table.starts_with("public.food") && !table.ends_with("tables") {
            "where user_id is not null"
        } else {
            ""
        };
        let sql = format!("select coalesce(string_agg(t::text, ' '), '') from {table} t {of_users}");
        let sql = sqlx::AssertSqlSafe(sql);
        all.push_str(&sqlx::query_scalar::<_, String>(sql).fetch_one(&world.db).await.unwrap());
    }
    all
}

#[tokio::test]
async fn a_photo_that_is_on_its_way_in_does_not_outlive_the_account() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut hold = world.db.begin().await.unwrap();
    sqlx::query("select from streams where id = $1 for update").bind(mina.id.0).execute(&mut *hold).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the test awaits it")]
    let upload = tokio::spawn({
        let request = mina.api.request(Method::POST, "/api/v1/meals");
        let request = request.multipart(uploads::form(&uploads::lunch_today(), pictures::jpeg(80, 40)));
        async move { Answer::of(request).await }
    });
    until("the photo is stored and the meal waits", || async { (files_in(world.media.path()) == 2).then_some(()) })
        .await;
    mina.deletes_account(Some(PASSWORD)).await.ok_empty(202);
    hold.rollback().await.unwrap();
    upload.await.unwrap().refused(401, "account_gone");
    world.is_quiet().await;
    assert_eq!(files_in(world.media.path()), 0);
    assert_eq!(world.count("select count(*) from meals").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn a_deleted_account_leaves_its_places_and_nothing_else() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina_personal").await, world.user("jun").await);
    let phone = logs_in(&world.api(), "mina_personal", "Mina's secret phone").await;
    let one = mina.hosts(&game(|terms| (terms.days, terms.lives) = (2, 1))).await;
    for player in [&mina, &jun] {
        player.joins(one).await;
    }
    world.referee_at(seoul("2026-03-02 20:00")).await;
    let mut meal = json!(lunch("2026-03-02", 777));
    meal["note"] = json!("what mina really ate");
    mina.uploads(&meal, pictures::jpeg(80, 40), Some("a-key-of-mina-personal")).await.ok::<Value>(201);
    jun.logs(&lunch("2026-03-02", 500)).await;
    mina.api
        .put("/api/v1/accounts/me/consents/health_data", &json!({ "version": 1, "given": true }))
        .await
        .ok::<Value>(200);
    mina.api.put("/api/v1/accounts/me/weights/2026-01-01", &json!({ "weight_g": 61_234 })).await.ok::<Value>(200);
    let own = json!({ "name": "mina's own soup", "category": "general", "per_100g": { "energy_kcal": 40 } });
    mina.api.post("/api/v1/accounts/me/foods", &own).await.ok::<Value>(201);
    world.referee_at(seoul("2026-03-03 02:00")).await;
    let mut board = world.spectator(one).await;
    let mut own = mina.watches(one).await;
    mina.shows("image/jpeg", pictures::jpeg(90, 90)).await.ok::<Value>(200);
    let export = mina.takes_all().await;
    assert!(everything(&world).await.contains("mina_personal"));
    let before = facts::standings(&world.db, one).await;

    mina.deletes_account(Some("not that one")).await.refused(403, "password_wrong");
    mina.deletes_account(None).await.refused(403, "password_wrong");
    mina.deletes_account(Some(PASSWORD)).await.ok_empty(202);
    assert_eq!(own.sees_the_end().await, Some(close::REVOKED));
    mina.api.get("/api/v1/accounts/me").await.refused(401, "session_ended");
    refreshes(&world.api(), &phone.refresh_token).await.refused(401, "session_ended");
    let log_in = json!({ "email": "mina_personal@example.com", "password": PASSWORD });
    world.api().post("/api/v1/sessions", &log_in).await.refused(401, "credentials_wrong");

    board
        .sees("that she has withdrawn", |board| board.row(mina.id).is_some_and(|row| row.nickname == "withdrawn"))
        .await;
    world.is_quiet().await;
    let left = everything(&world).await;
    for personal in ["mina_personal", "own soup", "secret phone", "really ate", "777", "61234", "a-key-of-mina"] {
        assert!(!tells(&left, personal), "{personal} is still there");
    }
    assert_eq!(files_in(world.media.path()), 0, "no photo, picture or export of hers is left");
    assert_eq!(world.count("select count(*) from users where picture is not null").await, 0);
    assert_eq!(world.count("select count(*) from exports").await, 0);
    world.api().get(export.url.as_deref().unwrap()).await.refused(404, "not_found");
    assert_eq!(world.count("select count(*) from meals").await, 1, "jun's own is");
    assert_eq!(facts::standings(&world.db, one).await, before, "ranks hold");
    facts::assert_board_is_true(&board.model, &world.db, one).await;
    assert_eq!(facts::replay(&facts::journal(&world.db, one.0).await), before);
    // Nor does who comes late, or comes back, hear her name from what a room remembers.
    for seen in [None, Some(0), Some(1)] {
        let late = Viewer::watch(world.node.address, None, one, seen).await;
        assert!(!late.texts.concat().contains("mina_personal"), "{:?}", late.texts);
    }
    // The game goes on to its end, and her name can be had again, as her address can.
    world.referee_at(seoul("2026-03-04 02:00")).await;
    let places = world.outcomes(one, "").await.items;
    assert_eq!(places.len(), 2);
    assert!(places.iter().any(|place| place.row.nickname == "withdrawn"));
    let again = json!({ "email": "mina_personal@example.com", "password": PASSWORD, "nickname": "mina_personal", "at_least_14": true });
    world.api().post("/api/v1/accounts", &again).await.ok::<SignedIn>(201);
    world.stop().await;
}

#[tokio::test]
async fn nobody_is_called_withdrawn_who_is_not() {
    let world = World::open().await;
    for nickname in ["withdrawn", "Withdrawn_123"] {
        let wish = json!({ "email": "a@example.com", "password": PASSWORD, "nickname": nickname, "at_least_14": true });
        world.api().post("/api/v1/accounts", &wish).await.refused(422, "nickname_invalid");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_erasure_that_was_given_up_is_taken_up_again() {
    let mut world = World::open().await;
    let mina = world.user("mina").await;
    mina.uploads(&uploads::lunch_today(), pictures::jpeg(80, 40), None).await.ok::<Value>(201);
    // Its job is lost, as after too many failures.
    let stop = "create function stop() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
                create trigger stop before delete on meals for each row execute function stop()";
    sqlx::raw_sql(stop).execute(&world.db).await.unwrap();
    mina.deletes_account(Some(PASSWORD)).await.ok_empty(202);
    until("it has failed", || async {
        let failed = "select count(*) from graphile_worker._private_jobs where last_error is not null";
        (world.count(failed).await == 1).then_some(())
    })
    .await;
    sqlx::raw_sql("delete from graphile_worker._private_jobs; drop function stop cascade")
        .execute(&world.db)
        .await
        .unwrap();
    assert_eq!(world.count("select count(*) from meals").await, 1);
    // Days later, the housekeeping sees it; it looks when it starts, and then once an hour.
    sqlx::query("update users set deleted_at = deleted_at - interval '3 days'").execute(&world.db).await.unwrap();
    world.restart().await;
    until("it is erased", || async {
        (world.count("select count(*) from users where erased_at is not null").await == 1).then_some(())
    })
    .await;
    assert_eq!(world.count("select count(*) from meals").await, 0);
    world.stop().await;
}
