//! The pages around the board: the landing page that lists what can be watched, and the API's description. And the
//! account that the tests keep of a page's troubles.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Page, World, challenge, seoul};

#[tokio::test]
async fn page_of_challenges_leads_to_their_boards() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut wish = challenge();
    let running = mina.hosts(&wish).await;
    mina.joins(running).await;
    wish.title = "여름 챌린지".to_owned();
    wish.terms.first_day = "2026-03-09".parse().unwrap();
    let open = mina.hosts(&wish).await;
    world.referee_at(seoul("2026-03-02 00:00")).await;

    let mut page = Page::open(&world.origin(), "/").await;
    let card = |shelf: &str, id| format!("[data-shelf={shelf}] a[data-challenge='{id}']");
    for link in [card("running", running), card("open", open)] {
        page.wait_for("the card", &format!("document.querySelector({link:?})")).await;
    }
    assert_eq!(page.evaluate::<u32>("document.querySelectorAll('a.card').length").await, 2, "each on one shelf");
    assert_eq!(page.text(&format!("{} h3", card("open", open))).await, "여름 챌린지");
    page.click(&card("running", running)).await;
    page.wait_for("the board's address", &format!("location.pathname === '/watch/{running}'")).await;
    page.is_live().await;
    page.row_is(mina.id, "").await;
    page.click("a.brand").await;
    page.wait_for("the way back", "location.pathname === '/' && document.querySelector('a.card')").await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_of_challenges_turns_over() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    for _ in 0..13 {
        mina.hosts(&challenge()).await;
    }
    let mut page = Page::open(&world.origin(), "/").await;
    page.wait_for("the first page", "document.querySelectorAll('a.card').length === 12").await;
    page.click("[data-shelf=open] button").await;
    page.wait_for("all of them", "document.querySelectorAll('a.card').length === 13").await;
    page.wait_for("no more", "!document.querySelector('[data-shelf=open] button')").await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_of_the_api_shows_every_operation() {
    let world = World::open().await;
    let document: Value = world.api().get("/openapi.json").await.ok(200);
    let methods = ["get", "post", "put", "patch", "delete"];
    let operations: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap())
        .filter(|(method, _)| methods.contains(&method.as_str()))
        .map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    assert!(operations.len() > 10, "{operations:?}");
    let mut page = Page::open(&world.origin(), "/docs").await;
    let shown = "[...document.querySelectorAll('[data-section-id*=\"operation/\"]')]
        .map(it => it.dataset.sectionId.split('operation/')[1])";
    page.wait_for("the operations", &format!("{shown}.length >= {}", operations.len())).await;
    assert_eq!(page.evaluate::<BTreeSet<String>>(shown).await, operations);
    page.wait_for("the title", "document.querySelector('#docs h1').textContent.includes('Lastbite')").await;
    assert!(page.evaluate::<bool>("document.querySelector('#failed').hidden").await);
    page.close().await;
    world.stop().await;
}

/// The other tests are worth what this finds.
#[tokio::test]
async fn page_troubles_are_noticed() {
    let world = World::open().await;
    let mut page = Page::open(&world.origin(), "/").await;
    assert_eq!(page.troubles().await, [""; 0]);
    page.evaluate::<Option<u8>>("console.error('a complaint')").await;
    page.evaluate::<Option<u8>>("void setTimeout(() => { throw new Error('an exception') })").await;
    page.evaluate::<Option<u8>>("void document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')").await;
    page.evaluate::<Option<u8>>("void (new Image().src = 'http://pictures.example/track.gif')").await;
    page.evaluate::<Option<u8>>("void fetch('/nowhere')").await;
    for trouble in ["a complaint", "an exception", "style-src", "elsewhere: http://pictures.example/", "404"] {
        page.comes_to_have(trouble).await;
    }
    for trouble in ["a complaint", "an exception", "policy", "Content Security Policy", "elsewhere", "404"] {
        page.forgives(trouble);
    }
    page.close().await;
    world.stop().await;
}
