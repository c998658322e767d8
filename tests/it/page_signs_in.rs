//! The page to sign in on: by e-mail from the first letter to the last device, and by Kakao.

use lastbite_protocol::rest::SignedIn;
use serde_json::json;

use crate::support::{
    Page, Setup, World,
    kakao::{Kakao, person},
    letters::code_in,
    player::{PASSWORD, refreshes},
};

const NEW_PASSWORD: &str = "eight sleepless seals";

impl Page {
    /// Fills a form's fields in and sends it.
    async fn sends(&mut self, form: &str, fields: &[(&str, &str)]) {
        for (name, text) in fields {
            self.types(&format!("#{form} [name={name}]"), text).await;
        }
        self.click(&format!("#{form} button.button")).await;
    }

    async fn shows_view(&mut self, view: &str) {
        self.wait_for(view, &format!("document.body.dataset.view === {view:?}")).await;
    }

    async fn says(&mut self, element: &str, text: &str) {
        let condition = format!("document.querySelector({element:?}).textContent.includes({text:?})");
        self.wait_for(text, &condition).await;
    }
}

#[tokio::test]
async fn page_signs_up_verifies_and_keeps_who_is_there() {
    let world = World::open().await;
    world.user("jun").await;
    let taken = world.letters(1).await.len();
    let mut page = Page::open(&world.origin(), "/").await;
    page.click("a[href='/signin']").await;
    page.shows_view("sign-in").await;
    assert!(page.evaluate::<bool>("document.querySelector('#providers').hidden").await, "there are no others");
    page.click("[data-for=sign-in] [data-go=sign-up]").await;
    page.shows_view("sign-up").await;
    page.types("#sign-up [name=nickname]", "JUN").await;
    page.wait_for("that it is taken", "document.querySelector('#nickname-state').dataset.state === 'refused'").await;
    page.types("#sign-up [name=nickname]", "미나").await;
    page.wait_for("that it is free", "document.querySelector('#nickname-state').dataset.state === 'free'").await;
    page.sends("sign-up", &[("email", "mina@example.com"), ("password", PASSWORD)]).await;
    page.says("#error", "14").await;
    page.click("#sign-up [name=at_least_14]").await;
    page.click("#sign-up button.button").await;
    page.shows_view("signed-in").await;
    page.says("[data-nickname]", "미나").await;
    assert_eq!(page.evaluate::<String>("document.querySelector('#verified').dataset.state").await, "unverified");

    let letters = world.letters(taken + 1).await;
    let letter = letters.iter().find(|letter| letter.contains("mina@example.com")).unwrap();
    page.sends("verify", &[("code", &code_in(letter))]).await;
    page.wait_for("that it is verified", "document.querySelector('#verified').dataset.state === 'verified'").await;

    let phone = json!({ "email": "mina@example.com", "password": PASSWORD, "device": "a phone" });
    let phone: SignedIn = world.api().post("/api/v1/sessions", &phone).await.ok(201);
    page.goto("/signin").await;
    page.shows_view("signed-in").await;
    page.wait_for("both devices", "document.querySelectorAll('#sessions > li').length === 2").await;
    page.click(&format!("[data-session='{}'] button", phone.session)).await;
    page.wait_for("one device", "document.querySelectorAll('#sessions > li').length === 1").await;
    refreshes(&world.api(), &phone.refresh_token).await.refused(401, "session_ended");
    page.click("[data-language=en]").await;
    page.says("#title", "My account").await;
    page.click("#log-out").await;
    page.shows_view("sign-in").await;
    page.goto("/signin").await;
    page.shows_view("sign-in").await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_lets_in_who_forgot_the_password() {
    let world = World::open().await;
    world.user("mina").await;
    let before = world.letters(1).await.len();
    let mut page = Page::open(&world.origin(), "/signin").await;
    page.forgives("401");
    page.forgives("403");
    page.sends("sign-in", &[("email", "mina@example.com"), ("password", "not that one")]).await;
    page.says("#error", "이메일이나 비밀번호가 맞지 않습니다").await;
    assert!(page.evaluate::<bool>("document.activeElement.name === 'password'").await, "it leads to the field");
    page.click("[data-go=forgot]").await;
    page.shows_view("forgot").await;
    page.click("#forgot button.button").await;
    page.shows_view("reset").await;
    let letters = world.letters(before + 1).await;
    page.sends("reset", &[("code", "000 00"), ("new_password", NEW_PASSWORD)]).await;
    page.says("#error", "코드가 맞지 않거나").await;
    page.sends("reset", &[("code", &code_in(&letters[before])), ("new_password", NEW_PASSWORD)]).await;
    page.shows_view("sign-in").await;
    page.sends("sign-in", &[("password", NEW_PASSWORD)]).await;
    page.shows_view("signed-in").await;
    page.says("[data-nickname]", "mina").await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_signs_in_with_kakao() {
    let kakao = Kakao::open().await;
    let world = World::with(Setup { providers: kakao.honest(), ..Setup::default() }).await;
    kakao.sits(&person(1001, "mina"));
    let mut page = Page::open_by_name(&world.origin(), "/signin").await;
    page.forgives("/oauth/authorize");
    page.wait_for("Kakao's button", "!document.querySelector('#kakao').closest('[hidden]')").await;
    page.wait_for("the other one's", "document.querySelector('[data-provider=google]')").await;
    page.click("#kakao").await;
    page.shows_view("signed-in").await;
    page.says("[data-nickname]", "mina").await;
    assert_eq!(
        page.evaluate::<String>("location.href").await,
        "http://lastbite.test/signin",
        "no ticket is left in it"
    );
    page.goto("/signin").await;
    page.says("[data-nickname]", "mina").await;
    page.click("#log-out-everywhere").await;
    page.shows_view("sign-in").await;
    // Somebody breaks off there.
    page.goto("/signin#error=cancelled").await;
    page.says("#error", "로그인을 취소했습니다").await;
    // A ticket that was made up, or belongs to another browser, lets nobody in.
    page.forgives("401");
    page.forgives("403");
    page.goto("/signin?#ticket=made-up").await;
    page.wait_for("a refusal", "document.querySelector('#error').textContent").await;
    assert_eq!(world.count("select count(*) from sessions where ended_at is null").await, 0);
    page.close().await;
    world.stop().await;
}
