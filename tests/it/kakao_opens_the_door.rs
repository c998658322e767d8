//! Signing in through Kakao and others: with a browser, with an app, and what never leads into somebody's account.

use lastbite_protocol::rest::{Account, Identity, Page, SignedIn};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Setup, World,
    kakao::{Kakao, Lie, NATIVE_KEY, Person, person, tokens::Key},
    letters::code_in,
    player::{PASSWORD, logs_in},
    visitor::Visitor,
};

const ME: &str = "/api/v1/accounts/me";
const IDENTITIES: &str = "/api/v1/accounts/me/identities";
const WITH_KAKAO: &str = "/api/v1/sessions/oidc/kakao";
const OF_KAKAO: &str = "/api/v1/accounts/me/identities/kakao";

async fn world() -> (Kakao, World) {
    let kakao = Kakao::open().await;
    let world = World::with(Setup { providers: kakao.honest(), ..Setup::default() }).await;
    (kakao, world)
}

async fn identities(api: &Api) -> Vec<Identity> {
    api.get(IDENTITIES).await.ok::<Page<Identity>>(200).items
}

/// Signs in as an app does.
async fn in_app(kakao: &Kakao, world: &World, who: &Person) -> SignedIn {
    let body = json!({ "at_least_14": true, "access_token": kakao.access_token(who), "device": "a phone" });
    world.api().post(WITH_KAKAO, &body).await.ok(201)
}

#[tokio::test]
async fn kakao_signs_up_and_in_with_a_browser() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    kakao.sits(&mina);
    let mut browser = Visitor::new(world.api());
    let first = browser.signs_in("kakao").await;
    assert_eq!((first.user.nickname.as_str(), first.user.has_password), ("mina", false));
    assert_eq!((first.user.email.as_ref(), first.user.email_verified), (Some(&mina.email), true));
    let api = world.api().with_token(&first.access_token);
    api.get(ME).await.ok::<Account>(200);
    // She comes back, by a new name there, in a browser and in the app: it is the same account, with its own name.
    kakao.sits(&Person { nickname: "Kim".to_owned(), ..mina.clone() });
    let again = Visitor::new(world.api()).signs_in("kakao").await;
    assert_eq!(again.user, first.user);
    assert_eq!(identities(&api).await[0].nickname.as_deref(), Some("Kim"));
    assert_eq!(in_app(&kakao, &world, &mina).await.user, first.user);
    let mine = identities(&api).await;
    assert_eq!((mine.len(), mine[0].provider.as_str(), mine[0].nickname.as_deref()), (1, "kakao", Some("mina")));
    assert_eq!(mine[0].email.as_ref(), Some(&mina.email));
    assert_eq!(world.count("select count(*) from users").await, 1);
    // Another mina there is another user here.
    let other = in_app(&kakao, &world, &person(1002, "Mina")).await;
    assert!(other.user.id != first.user.id && other.user.nickname.starts_with("Mina_"), "{:?}", other.user);
    world.stop().await;
}

#[tokio::test]
async fn kakao_is_asked_in_app_with_an_id_token() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let shows = async |id_token: &str, nonce: Option<&str>| {
        world.api().post(WITH_KAKAO, &json!({ "at_least_14": true, "id_token": id_token, "nonce": nonce })).await
    };
    let plain: SignedIn = shows(&kakao.id_token(Lie::Nothing, &mina, None), None).await.ok(201);
    assert_eq!(plain.user.email, None, "Kakao's ID token does not say whether the e-mail is hers");
    let bound = kakao.id_token(Lie::Nothing, &mina, Some("n"));
    let again: SignedIn = shows(&bound, Some("n")).await.ok(201);
    assert_eq!(again.user.id, plain.user.id);
    for (token, nonce) in [(&bound, None), (&bound, Some("m")), (&bound, Some(""))] {
        shows(token, nonce).await.refused(401, "id_token_invalid");
    }
    shows(&kakao.id_token(Lie::Nothing, &mina, None), Some("n")).await.refused(401, "id_token_invalid");
    let mut native = kakao.claims(Lie::Nothing, &mina, None);
    for ours in [json!(NATIVE_KEY), json!([NATIVE_KEY]), json!([NATIVE_KEY, "rest-api-key"])] {
        native["aud"] = ours;
        shows(&Key::Ours.sign("JWT", &native), None).await.ok::<SignedIn>(201);
    }
    for nothing in ["", "a", "a.b.c", "..", &"a".repeat(9000), "{}", "\u{0}", &plain.access_token] {
        shows(nothing, None).await.refused(401, "id_token_invalid");
    }
    world.api().with_token(&bound).get(ME).await.refused(401, "token_invalid");
    world.stop().await;
}

#[tokio::test]
async fn kakao_is_asked_for_one_token_and_no_more() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let (access, id) = (kakao.access_token(&mina), kakao.id_token(Lie::Nothing, &mina, None));
    let api = world.api();
    api.post(WITH_KAKAO, &json!({})).await.refused(422, "one_token_needed");
    api.post(WITH_KAKAO, &json!({ "at_least_14": true, "access_token": access, "id_token": id }))
        .await
        .refused(422, "one_token_needed");
    api.post(WITH_KAKAO, &json!({ "access_token": access, "role": "admin" })).await.refused(422, "json_invalid");
    api.post(WITH_KAKAO, &json!({ "at_least_14": true, "access_token": access, "device": "x".repeat(65) }))
        .await
        .refused(422, "device_invalid");
    for nobodys in ["", "nobody's", "a b", "a\r\nx: y", "\u{0}", "é", &"a".repeat(10_000)] {
        let body = json!({ "at_least_14": true, "access_token": nobodys });
        api.post(WITH_KAKAO, &body).await.refused(401, "provider_token_invalid");
    }
    for unknown in ["nobody", "Kakao", "kakao%00", "..%2f", "%F0%9F"] {
        api.post(&format!("/api/v1/sessions/oidc/{unknown}"), &json!({ "at_least_14": true, "id_token": id }))
            .await
            .refused(404, "not_found");
    }
    let google = "/api/v1/sessions/oidc/google";
    api.post(google, &json!({ "at_least_14": true, "access_token": access }))
        .await
        .refused(422, "access_token_unsupported");
    assert_eq!(world.count("select count(*) from users").await, 0);
    world.stop().await;
}

#[tokio::test]
async fn kakao_state_belongs_to_one_browser_and_is_good_once() {
    let (_kakao, world) = world().await;
    let mut browser = Visitor::new(world.api());
    let there = browser.starts("kakao", "").await;
    let back = browser.agrees(&there).await;
    let stranger = Visitor::new(world.api());
    let mut another = Visitor::new(world.api());
    another.starts("kakao", "").await;
    for foreign in [&stranger, &another] {
        assert_eq!(foreign.comes_back(&back).await, "error=state_invalid");
    }
    let code = back.split_once("code=").unwrap().1.split('&').next().unwrap();
    for bad in [
        "/oidc/kakao/callback".to_owned(),
        format!("/oidc/kakao/callback?code={code}"),
        format!("/oidc/kakao/callback?code={code}&state="),
        format!("/oidc/kakao/callback?code={code}&state=%00"),
        format!("/oidc/kakao/callback?code={code}&state={}", "A".repeat(43)),
        back.replace("/kakao/", "/google/"),
    ] {
        assert_eq!(browser.comes_back(&bad).await, "error=state_invalid", "{bad}");
    }
    assert_eq!(browser.comes_back(&back.replace("state=", "state=x&state=")).await, "error=query_invalid");
    assert_eq!(browser.comes_back("/oidc/nobody/callback").await, "error=not_found");
    // None of this has spent it.
    assert!(browser.comes_back(&back).await.starts_with("ticket="));
    assert_eq!(browser.comes_back(&back).await, "error=state_invalid", "once");
    // A code that was given to another is proved by another verifier.
    let (first, second) = (browser.starts("kakao", "").await, browser.starts("kakao", "").await);
    let (first, second) = (browser.agrees(&first).await, browser.agrees(&second).await);
    let state = |back: &str| back.split_once("state=").unwrap().1.to_owned();
    assert_eq!(browser.comes_back(&first.replace(&state(&first), &state(&second))).await, "error=code_invalid");
    assert!(browser.comes_back(&first).await.starts_with("error=code_invalid"), "its code is spent");
    let there = browser.starts("kakao", "").await;
    let late = browser.agrees(&there).await;
    let older = "update oidc_flows set begun_at = begun_at - interval '10 minutes'";
    sqlx::query(older).execute(&world.db).await.unwrap();
    assert_eq!(browser.comes_back(&late).await, "error=state_invalid");
    world.stop().await;
}

#[tokio::test]
async fn kakao_tickets_belong_to_one_browser_and_are_good_once() {
    let (_kakao, world) = world().await;
    let mut browser = Visitor::new(world.api());
    let fragment = browser.goes_round("kakao").await;
    let ticket = fragment.strip_prefix("ticket=").unwrap();
    let mut another = Visitor::new(world.api());
    another.starts("kakao", "").await;
    for foreign in [&Visitor::new(world.api()), &another] {
        foreign.uses(ticket).await.refused(401, "ticket_invalid");
    }
    for bad in ["", "x", "\u{0}", &"A".repeat(43), &format!("{ticket}A")] {
        browser.uses(bad).await.refused(401, "ticket_invalid");
    }
    world.api().with_token(ticket).get(ME).await.refused(401, "token_invalid");
    let signed_in: SignedIn = browser.uses(ticket).await.ok(201);
    browser.uses(ticket).await.refused(401, "ticket_invalid");
    let fragment = browser.goes_round("kakao").await;
    sqlx::query("update oidc_tickets set made_at = made_at - interval '1 minute'").execute(&world.db).await.unwrap();
    browser.uses(fragment.strip_prefix("ticket=").unwrap()).await.refused(401, "ticket_invalid");
    // Whoever is blocked gets none, and one that was given before opens nothing.
    let fragment = browser.goes_round("kakao").await;
    sqlx::query("update users set blocked_at = now()").execute(&world.db).await.unwrap();
    browser.uses(fragment.strip_prefix("ticket=").unwrap()).await.refused(403, "account_blocked");
    assert_eq!(browser.goes_round("kakao").await, "error=account_blocked");
    assert_eq!(world.count("select count(*) from users").await, 1, "{:?}", signed_in.user);
    world.stop().await;
}

#[tokio::test]
async fn kakao_leads_back_to_our_own_pages_only() {
    let (_kakao, world) = world().await;
    let mut browser = Visitor::new(world.api());
    let there = browser.starts("kakao", "?return_to=%2Fplay%3Ftab%3Dmeals").await;
    let back = browser.agrees(&there).await;
    let fragment = browser.comes_back(&back).await;
    assert!(fragment.ends_with("&return_to=%2Fplay%3Ftab%3Dmeals"), "{fragment}");
    for away in ["//evil.example", "https%3A%2F%2Fevil.example", "%2F%5Cevil.example", "%09%2F", "%252F", "", "%2F%00"]
    {
        let told = browser.starts("kakao", &format!("?return_to={away}")).await;
        assert_eq!(told, "/signin#error=return_to_invalid", "{away}");
    }
    assert_eq!(browser.starts("kakao", "?return_to=%FF").await, "/signin#error=return_to_invalid");
    assert_eq!(browser.starts("nobody", "").await, "/signin#error=not_found");
    world.stop().await;
}

/// An e-mail opens nothing, verified or not, here or there.
#[tokio::test]
async fn kakao_never_takes_over_an_account_by_its_e_mail() {
    let (kakao, world) = world().await;
    let mina = world.user("mina").await;
    for (id, verified) in [(666, false), (667, true)] {
        let mallory = Person { email: "MINA@example.com".to_owned(), verified, ..person(id, "mallory") };
        let signed_in = in_app(&kakao, &world, &mallory).await;
        assert!(signed_in.user.id != mina.id && signed_in.user.email.is_none(), "{:?}", signed_in.user);
        kakao.sits(&mallory);
        assert_eq!(Visitor::new(world.api()).signs_in("kakao").await.user.id, signed_in.user.id);
        let google = Person { says_verified: true, ..mallory };
        let body = json!({ "at_least_14": true, "id_token": kakao.id_token(Lie::Nothing, &google, None) });
        let there: SignedIn = world.api().post("/api/v1/sessions/oidc/google", &body).await.ok(201);
        assert!(there.user.id != mina.id && there.user.id != signed_in.user.id && there.user.email.is_none());
    }
    logs_in(&world.api(), "mina", "a phone").await;
    assert!(identities(&mina.api).await.is_empty());
    world.stop().await;
}

#[tokio::test]
async fn kakao_is_linked_and_unlinked() {
    let (kakao, world) = world().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let there = person(1001, "mina");
    let body = || json!({ "access_token": kakao.access_token(&there) });
    world.api().post(OF_KAKAO, &body()).await.refused(401, "token_missing");
    mina.api.post(OF_KAKAO, &json!({ "access_token": "nobody's" })).await.refused(401, "provider_token_invalid");
    mina.api.post(OF_KAKAO, &json!({})).await.refused(422, "one_token_needed");
    let linked: Identity = mina.api.post(OF_KAKAO, &body()).await.ok(201);
    assert_eq!((linked.provider.as_str(), linked.nickname.as_deref()), ("kakao", Some("mina")));
    mina.api.post(OF_KAKAO, &body()).await.ok::<Identity>(200);
    jun.api.post(OF_KAKAO, &body()).await.refused(409, "identity_taken");
    let second = json!({ "access_token": kakao.access_token(&person(1002, "mina")) });
    mina.api.post(OF_KAKAO, &second).await.refused(409, "identity_exists");
    assert_eq!(in_app(&kakao, &world, &there).await.user.id, mina.id);
    assert!(identities(&jun.api).await.is_empty());
    jun.api.delete(OF_KAKAO).await.refused(404, "not_found");
    mina.api.delete(OF_KAKAO).await.ok_empty(204);
    mina.api.delete(OF_KAKAO).await.refused(404, "not_found");
    // Now it is anybody's again, and makes an account of its own, to which there is no other way in.
    let alone = in_app(&kakao, &world, &there).await;
    assert_ne!(alone.user.id, mina.id);
    let api = world.api().with_token(&alone.access_token);
    api.delete(OF_KAKAO).await.refused(409, "last_sign_in");
    assert_eq!(identities(&api).await.len(), 1);
    // A password is no way in for who has no e-mail to go with it.
    let alike = "update users set email = null, password_hash = 'one' where id = $1";
    sqlx::query(alike).bind(alone.user.id.0).execute(&world.db).await.unwrap();
    api.delete(OF_KAKAO).await.refused(409, "last_sign_in");
    let before = "update users set email = $2, password_hash = null where id = $1";
    sqlx::query(before).bind(alone.user.id.0).bind(&alone.user.email).execute(&world.db).await.unwrap();
    let google = json!({ "id_token": kakao.id_token(Lie::Nothing, &there, None) });
    api.post("/api/v1/accounts/me/identities/google", &google).await.ok::<Identity>(201);
    api.delete(OF_KAKAO).await.ok_empty(204);
    let of_google = "/api/v1/accounts/me/identities/google";
    api.delete(of_google).await.refused(409, "last_sign_in");
    let set = api.request(Method::PUT, "/api/v1/accounts/me/password").json(&json!({ "new_password": PASSWORD }));
    Answer::of(set).await.ok_empty(204);
    api.delete(of_google).await.ok_empty(204);
    world.stop().await;
}

#[tokio::test]
async fn kakao_makes_an_account_only_of_who_says_to_be_old_enough() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let shown = json!({ "access_token": kakao.access_token(&mina) });
    world.api().post(WITH_KAKAO, &shown).await.refused(403, "age_unconfirmed");
    kakao.sits(&mina);
    assert_eq!(world.count("select count(*) from users").await, 0);
    in_app(&kakao, &world, &mina).await;
    world.api().post(WITH_KAKAO, &json!({ "access_token": kakao.access_token(&mina) })).await.ok::<SignedIn>(201);
    world.stop().await;
}

#[tokio::test]
async fn kakao_tells_an_e_mail_that_stays_and_reaches_an_account_without() {
    let (kakao, world) = world().await;
    let quiet = Person { verified: false, ..person(1001, "mina") };
    let first = in_app(&kakao, &world, &quiet).await;
    assert_eq!(first.user.email, None, "not verified there");
    let open = person(1001, "mina");
    let told = in_app(&kakao, &world, &open).await.user;
    assert_eq!((told.id, told.email.as_ref(), told.email_verified), (first.user.id, Some(&open.email), true));
    // An ID token of Kakao's tells no e-mail, and takes none away.
    let claims = kakao.claims(Lie::Nothing, &quiet, None);
    let mut silent = claims.clone();
    silent.as_object_mut().unwrap().retain(|name, _| !name.starts_with("email"));
    let body = json!({ "at_least_14": true, "id_token": Key::Ours.sign("JWT", &silent) });
    let again: SignedIn = world.api().post(WITH_KAKAO, &body).await.ok(201);
    let api = world.api().with_token(&again.access_token);
    assert_eq!(identities(&api).await[0].email.as_ref(), Some(&open.email));
    world.stop().await;
}

#[tokio::test]
async fn kakao_alone_is_shown_once_more_for_what_cannot_be_undone() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let earlier = in_app(&kakao, &world, &mina).await;
    let long_ago = "update sessions set created_at = created_at - interval '11 minutes'";
    sqlx::query(long_ago).execute(&world.db).await.unwrap();
    let api = world.api().with_token(&earlier.access_token);
    let set =
        |api: &Api| api.request(Method::PUT, "/api/v1/accounts/me/password").json(&json!({ "new_password": PASSWORD }));
    Answer::of(set(&api)).await.refused(403, "sign_in_again");
    let delete = api.request(Method::DELETE, "/api/v1/accounts/me").json(&json!({}));
    Answer::of(delete).await.refused(403, "sign_in_again");
    let now = in_app(&kakao, &world, &mina).await;
    Answer::of(set(&world.api().with_token(&now.access_token))).await.ok_empty(204);
    world.stop().await;
}

/// Another provider is an entry of the configuration.
#[tokio::test]
async fn kakao_has_a_neighbour_that_is_only_configured() {
    let (kakao, world) = world().await;
    let mina = Person { says_verified: true, ..person(1001, "mina") };
    kakao.sits(&mina);
    let in_browser = Visitor::new(world.api()).signs_in("google").await;
    assert_eq!((in_browser.user.email.as_ref(), in_browser.user.email_verified), (Some(&mina.email), true));
    let body = json!({ "at_least_14": true, "id_token": kakao.id_token(Lie::Nothing, &mina, None) });
    let in_app: SignedIn = world.api().post("/api/v1/sessions/oidc/google", &body).await.ok(201);
    assert_eq!(in_app.user, in_browser.user);
    // The same number at another provider is somebody else.
    let there: SignedIn = world.api().post(WITH_KAKAO, &body).await.ok(201);
    assert_ne!(there.user.id, in_app.user.id);
    world.stop().await;
}

#[tokio::test]
async fn kakao_keys_are_read_once_and_again_for_a_new_key() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let shows = async |key: Key| {
        let token = key.sign("JWT", &kakao.claims(Lie::Nothing, &mina, None));
        world.api().post(WITH_KAKAO, &json!({ "at_least_14": true, "id_token": token })).await
    };
    for _ in 0..3 {
        shows(Key::Ours).await.ok::<SignedIn>(201);
    }
    assert_eq!(kakao.keys_read(), 1);
    kakao.rotates(Key::Other);
    shows(Key::Other).await.ok::<SignedIn>(201);
    assert_eq!(kakao.keys_read(), 2, "a key that was not there is looked for");
    for _ in 0..3 {
        shows(Key::Ours).await.refused(401, "id_token_invalid");
    }
    assert_eq!(kakao.keys_read(), 2, "once a minute, however many forged ones come");
    world.stop().await;
}

#[tokio::test]
async fn kakao_signs_the_same_person_up_once_however_often_at_once() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    let body = json!({ "at_least_14": true, "id_token": kakao.id_token(Lie::Nothing, &mina, None) });
    let api = world.api();
    let at_once = futures_util::future::join_all((0..8).map(|_| api.post(WITH_KAKAO, &body))).await;
    let ids: std::collections::HashSet<_> =
        at_once.iter().filter(|answer| answer.status == 201).map(|answer| answer.ok::<SignedIn>(201).user.id).collect();
    assert_eq!((ids.len(), world.count("select count(*) from users").await), (1, 1));
    for refused in at_once.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.status, 503, "{:?}", serde_json::from_slice::<Value>(&refused.body));
    }
    world.stop().await;
}

#[tokio::test]
async fn kakao_of_a_stranger_goes_when_the_mails_owner_comes() {
    let (kakao, world) = world().await;
    // Mallory signs up with mina's address, which she cannot show to be hers, and links her own Kakao.
    let mallory = world.user("mina").await;
    let there = person(666, "mallory");
    let body = json!({ "access_token": kakao.access_token(&there) });
    mallory.api.post(OF_KAKAO, &body).await.ok::<Identity>(201);
    let before = world.letters(1).await.len();
    world.api().post("/api/v1/password/forgot", &json!({ "email": "mina@example.com" })).await.ok_empty(202);
    let code = code_in(&world.letters(before + 1).await[before]);
    let reset = json!({ "email": "mina@example.com", "code": code, "new_password": "eight sleepless seals" });
    world.api().post("/api/v1/password/reset", &reset).await.ok_empty(204);
    assert_ne!(in_app(&kakao, &world, &there).await.user.id, mallory.id, "it opens an account of its own");
    // Once the address is shown to be hers, what is linked to it is hers as well.
    let mina: SignedIn = {
        let body = json!({ "email": "mina@example.com", "password": "eight sleepless seals" });
        world.api().post("/api/v1/sessions", &body).await.ok(201)
    };
    let api = world.api().with_token(&mina.access_token);
    let own = json!({ "access_token": kakao.access_token(&person(1001, "mina")) });
    api.post(OF_KAKAO, &own).await.ok::<Identity>(201);
    world.api().post("/api/v1/password/forgot", &json!({ "email": "mina@example.com" })).await.ok_empty(202);
    let code = code_in(&world.letters(before + 2).await[before + 1]);
    let reset = json!({ "email": "mina@example.com", "code": code, "new_password": PASSWORD });
    world.api().post("/api/v1/password/reset", &reset).await.ok_empty(204);
    assert_eq!(in_app(&kakao, &world, &person(1001, "mina")).await.user.id, mallory.id);
    world.stop().await;
}

#[tokio::test]
async fn kakao_tickets_end_with_the_sessions() {
    let (kakao, world) = world().await;
    let mina = person(1001, "mina");
    kakao.sits(&mina);
    let first = in_app(&kakao, &world, &mina).await;
    let mut browser = Visitor::new(world.api());
    let fragment = browser.goes_round("kakao").await;
    world.api().with_token(&first.access_token).delete("/api/v1/sessions").await.ok_empty(204);
    browser.uses(fragment.strip_prefix("ticket=").unwrap()).await.refused(401, "ticket_invalid");
    world.stop().await;
}
