//! The page to play on: a meal from a search or a photo to its grade, its day and its month, in both languages.

use base64::{Engine, engine::general_purpose::STANDARD};
use lastbite::config::eyes::Eye;
use serde_json::Value;

use crate::support::{
    Answer, Page, Setup, World, pictures,
    player::{PASSWORD, logs_in},
    uploads::form,
};

const ESPRESSO: &[u8] = include_bytes!("../../recogniser/fixtures/espresso.jpg");

impl Page {
    /// Signs in as who has this nickname, and goes to play.
    async fn plays_as(origin: &str, nickname: &str) -> Self {
        let mut page = Self::open(origin, "/play").await;
        page.is_on("door").await;
        page.click("#sign-in").await;
        page.is_on("sign-in").await;
        page.types("#sign-in [name=email]", &format!("{nickname}@example.com")).await;
        page.types("#sign-in [name=password]", PASSWORD).await;
        page.click("#sign-in button.button").await;
        page.wait_for("the session", "sessionStorage.getItem('lastbite.session')").await;
        page.goto("/play").await;
        page.is_on("log").await;
        page
    }

    async fn is_on(&mut self, view: &str) {
        self.wait_for(view, &format!("document.body.dataset.view === {view:?}")).await;
    }

    async fn has(&mut self, selector: &str) {
        self.wait_for(selector, &format!("document.querySelector({selector:?})?.getClientRects().length")).await;
    }

    async fn reads(&mut self, selector: &str, text: &str) {
        let condition = format!("document.querySelector({selector:?}).textContent.includes({text:?})");
        self.wait_for(text, &condition).await;
    }

    /// Looks a food up and puts it into the meal.
    async fn finds(&mut self, text: &str, food: &str) {
        self.types("#food-search", text).await;
        let found = format!("#foods [data-food='{food}']");
        self.has(&found).await;
        self.click(&found).await;
        self.has(&format!("[data-item='{food}']")).await;
    }

    /// Chooses a photo, as its file chooser would.
    async fn chooses(&mut self, name: &str, photo: &[u8]) {
        let base64 = STANDARD.encode(photo);
        self.evaluate::<Value>(&format!(
            "(() => {{
                const bytes = Uint8Array.from(atob({base64:?}), (it) => it.charCodeAt(0));
                const chosen = new DataTransfer();
                chosen.items.add(new File([bytes], {name:?}, {{ type: 'image/jpeg' }}));
                const input = document.querySelector('#photo');
                input.files = chosen.files;
                input.dispatchEvent(new Event('change', {{ bubbles: true }}));
            }})()"
        ))
        .await;
    }

    async fn saves(&mut self) {
        self.click("#save").await;
        self.has("#result[data-grade]").await;
    }
}

/// A world whose time of play is that of the browser, and somebody in it.
async fn today(eyes: Vec<Eye>) -> World {
    let world = World::with(Setup { eyes, ..Setup::default() }).await;
    world.time(world.clock.wall());
    world.user("mina").await;
    world
}

#[tokio::test]
async fn page_logs_a_meal_and_shows_its_day_and_month() {
    let world = today(Vec::new()).await;
    let mut page = Page::plays_as(&world.origin(), "mina").await;
    page.click("#save").await;
    page.reads("#error", "먼저 음식을").await;
    page.finds("김치찌개", "ko:kimchi-jjigae").await;
    assert_eq!(page.text("#error").await, "", "what was missing is there");
    page.finds("ㅆㅂ", "ko:ssalbap").await;
    page.types("[data-item='ko:ssalbap'] input", "0").await;
    page.click("#save").await;
    page.reads("#error", "5,000 g").await;
    page.types("[data-item='ko:ssalbap'] input", "100").await;
    page.reads("[data-item='ko:ssalbap'] .energy", "152 kcal").await;
    page.click("#kinds [value=lunch]").await;
    page.types("#note-text", "회사 앞").await;
    page.saves().await;
    assert!(
        ["A", "B", "C"]
            .contains(&page.evaluate::<String>("document.querySelector('#result').dataset.grade").await.as_str())
    );
    page.reads("#result", "쌀밥").await;
    assert_eq!(world.count("select count(*) from meals where deleted_at is null").await, 1);
    assert_eq!(world.count("select count(*) from idempotency_keys").await, 1);

    page.click("#result [data-go=day]").await;
    page.is_on("day").await;
    page.has("[data-meal]").await;
    page.reads("[data-meal]", "점심").await;
    page.reads("[data-meal]", "회사 앞").await;
    let date: String = page.evaluate("location.hash.split('/')[1]").await;
    page.click("#day-prev").await;
    page.wait_for(
        "an empty day",
        "!document.querySelector('[data-meal]') && document.querySelector('#day-body .nothing')",
    )
    .await;
    page.click("#day-next").await;
    page.has("[data-meal]").await;

    page.click("#tabs [data-go=month]").await;
    page.is_on("month").await;
    let cell = format!("[data-day='{date}'][data-grade]");
    page.has(&cell).await;
    page.has("#month-chart svg .bar").await;
    page.click(&cell).await;
    page.is_on("day").await;
    page.has("[data-meal]").await;
    page.goto("/play").await;
    page.is_on("log").await;
    page.goto(&format!("/play#day/{date}")).await;
    page.has("[data-meal]").await;

    page.click("[data-delete]").await;
    page.has("[data-delete].is-asking").await;
    assert_eq!(world.count("select count(*) from meals where deleted_at is null").await, 1, "it was only asked");
    page.click("[data-delete].is-asking").await;
    page.wait_for("an empty day", "!document.querySelector('[data-meal]')").await;
    page.reads("#note", "지웠습니다").await;
    assert_eq!(world.count("select count(*) from meals where deleted_at is null").await, 0);
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_makes_a_meal_of_a_photo() {
    let world = today(vec![Eye::Embedded]).await;
    let mut page = Page::plays_as(&world.origin(), "mina").await;
    page.forgives("415");
    page.chooses("dinner.jpg", &pictures::html()).await;
    page.reads("#error", "JPEG, PNG, WebP").await;
    page.chooses("dinner.jpg", &pictures::heic()).await;
    page.reads("#error", "HEIC").await;
    assert!(page.evaluate::<bool>("!document.querySelector('[data-item]')").await, "nothing was seen");

    page.chooses("coffee.jpg", ESPRESSO).await;
    page.has("[data-item='ko:espresso']").await;
    page.reads("#look-text", "에스프레소").await;
    page.has("#preview").await;
    assert_eq!(page.text("#error").await, "");
    page.saves().await;
    assert_eq!(world.count("select count(*) from meals where photo is not null").await, 1);
    page.click("#result [data-go=day]").await;
    page.has("[data-meal] img.thumb").await;
    let is_seen = "document.querySelector('[data-meal] img').naturalWidth > 0";
    page.wait_for("the picture", is_seen).await;

    // Flat colours are no food: the photo stays, and the food is looked up.
    page.click("#tabs [data-go=log]").await;
    page.chooses("flat.jpg", &pictures::jpeg(400, 300)).await;
    page.wait_for("that it is over", "document.querySelector('#look').getAttribute('aria-busy') === 'false'").await;
    page.finds("쌀밥", "ko:ssalbap").await;
    page.saves().await;
    assert_eq!(world.count("select count(*) from meals where photo is not null").await, 2);
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_says_that_a_photo_alone_did_not_tell() {
    let world = today(Vec::new()).await;
    let mina = logs_in(&world.api(), "mina", "a phone").await;
    let mut page = Page::plays_as(&world.origin(), "mina").await;
    // Today is where the browser is.
    let zone: String = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone").await;
    let meal = serde_json::json!({ "kind": "snack", "eaten_at": world.clock.now(), "zone": zone });
    let request = world.api().with_token(&mina.access_token).request(reqwest::Method::POST, "/api/v1/meals");
    Answer::of(request.multipart(form(&meal, pictures::jpeg(400, 300)))).await.ok::<Value>(201);
    world.is_quiet().await;
    page.click("#tabs [data-go=day]").await;
    page.has("[data-meal][data-state=asked]").await;
    page.reads("[data-meal]", "사진으로는 알 수 없었습니다").await;
    page.click("[data-language=en]").await;
    page.reads("[data-meal]", "The photo did not tell").await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_of_the_diary_speaks_both_languages_and_fits_a_phone() {
    let world = today(Vec::new()).await;
    let mut page = Page::plays_as(&world.origin(), "mina").await;
    page.set_viewport(390, 844, true).await;
    page.finds("rice", "ko:ssalbap").await;
    page.reads("[data-item]", "쌀밥").await;
    page.click("[data-language=en]").await;
    page.reads("[data-item]", "Cooked white rice").await;
    page.reads("#log-title", "What did you eat?").await;
    page.reads("#tabs [data-go=month]", "Month").await;
    page.saves().await;
    page.reads("#result", "Nutri-Score A").await;
    page.click("#result [data-go=day]").await;
    page.reads("[data-meal]", "Cooked white rice").await;
    for view in ["month", "day", "log"] {
        page.click(&format!("#tabs [data-go={view}]")).await;
        page.is_on(view).await;
        page.wait_for("all of it", "!document.querySelector('[aria-busy=true]')").await;
        let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(page.evaluate::<i32>(wide).await, 0, "{view} is too wide");
    }
    page.click("#tabs [data-go=day]").await;
    page.click("[data-language=ko]").await;
    page.reads("[data-meal]", "쌀밥").await;
    assert_eq!(page.evaluate::<String>("document.documentElement.lang").await, "ko");
    page.close().await;
    world.stop().await;
}
