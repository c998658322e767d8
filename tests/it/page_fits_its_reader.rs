//! The spectator page for different readers: in Korean and English, on a phone, by light and by night, with a screen
//! reader.

use crate::support::{Page, World, challenge, dinner, facts, lunch, seoul};

/// Texts whose contrast with what is behind them is under what WCAG asks for at level AA, with the ratio.
const PALE_TEXTS: &str = "(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const over = (below, colour) => {
        canvas.fillStyle = `rgb(${below})`;
        canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (colour) => {
        const linear = (it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = colour.map(it => linear(it / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        const layers = [];
        for (let it = element; it; it = it.parentElement) layers.unshift(getComputedStyle(it).backgroundColor);
        return layers.reduce(over, [255, 255, 255]);
    };
    const pale = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        const style = getComputedStyle(element);
        const box = element.getBoundingClientRect();
        const isSeen = texts.currentNode.textContent.trim() && box.width > 0 && box.bottom > 0;
        if (!isSeen || style.visibility === 'hidden' || style.opacity === '0' || element.closest('noscript')) continue;
        if (style.color === 'rgba(0, 0, 0, 0)') continue;
        const ground = behind(element);
        const [a, b] = [light(over(ground, style.color)), light(ground)].sort((a, b) => b - a);
        const ratio = (a + 0.05) / (b + 0.05);
        const size = parseFloat(style.fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        if (ratio >= (isLarge ? 3 : 4.5)) continue;
        pale.push(`${ratio.toFixed(2)} ${element.className || element.id}: ${texts.currentNode.textContent}`);
    }
    return pale;
})()";

/// What reaches over the right edge.
const TOO_WIDE: &str = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

#[tokio::test]
async fn page_speaks_korean_and_english() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    let mut page = Page::watches(&world.origin(), game).await;
    mina.joins(game).await;
    page.row_is(mina.id, "").await;
    page.wait_for("a line in the feed", "document.querySelector('#feed [data-event=joined]')").await;
    assert_eq!(page.evaluate::<String>("document.documentElement.lang").await, "ko", "as the browser asks for");
    assert_eq!(page.text("#board-title").await, "순위표");
    assert_eq!(page.text("#feed .text").await, "mina 님이 참가했습니다");
    world.referee_at(seoul("2026-03-03 02:00")).await;
    page.wait_for("the missed day", "document.querySelector('#board .note').textContent === '마지막 한 입'").await;
    page.wait_for("its verdict", "document.querySelector('#last-day h3').textContent === '1일째 결과'").await;

    page.click("button[data-language=en]").await;
    page.wait_for("it is English", "document.documentElement.lang === 'en'").await;
    let pressed = page.evaluate::<String>("document.querySelector('[data-language=en]').ariaPressed").await;
    assert_eq!(pressed, "true");
    assert_eq!(page.text("#board-title").await, "Board");
    assert_eq!(page.text("#feed [data-event=joined] .text").await, "mina joined");
    assert_eq!(page.text("#board .note").await, "last bite");
    assert_eq!(page.text("#status").await, "Running");
    assert_eq!(page.text("#players").await, "1 player");
    let korean = "document.body.innerText.split('\\n').filter(it => /[가-힣]/.test(it))";
    let left: Vec<String> = page.evaluate(korean).await;
    assert_eq!(left, ["한국어", "봄 챌린지"], "only names stay Korean");

    page.goto("/").await;
    assert_eq!(page.evaluate::<String>("document.documentElement.lang").await, "en", "it is remembered");
    page.click("button[data-language=ko]").await;
    page.wait_for("it is Korean", "document.documentElement.lang === 'ko'").await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_fits_a_phone() {
    let world = World::open().await;
    let long = "가나다라마바사아자차카타파하가나다라마바사아자차카타파하";
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let mut wish = challenge();
    wish.title = long.to_owned();
    wish.description = "https://example.com/".to_owned() + &"a".repeat(300);
    let game = mina.hosts(&wish).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let mut page = Page::watches(&world.origin(), game).await;
    for date in ["2026-03-02", "2026-03-03"] {
        world.referee_at(seoul(&format!("{date} 21:00"))).await;
        mina.logs(&lunch(date, 700)).await;
        mina.logs(&dinner(date, 800)).await;
    }
    page.wait_for("the game runs", "document.querySelector('#last-day .figures')").await;
    for (width, height) in [(390, 844), (320, 568), (768, 1024), (1400, 900)] {
        page.set_viewport(width, height, width < 700).await;
        for language in ["en", "ko"] {
            page.click(&format!("button[data-language={language}]")).await;
            assert_eq!(page.evaluate::<i32>(TOO_WIDE).await, 0, "the board at {width} px in {language}");
        }
    }
    world.referee_at(seoul("2026-03-05 02:00")).await;
    page.wait_for("the podium", "!document.querySelector('#podium').hidden").await;
    page.set_viewport(320, 568, true).await;
    assert_eq!(page.evaluate::<i32>(TOO_WIDE).await, 0, "the podium");
    page.goto("/").await;
    page.wait_for("the card", "document.querySelector('a.card')").await;
    assert_eq!(page.evaluate::<i32>(TOO_WIDE).await, 0, "the landing page");
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_can_be_read_by_light_and_by_night() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let mut page = Page::watches(&world.origin(), game).await;
    page.set_taste("light", true).await;
    let mut pale: Vec<String> = Vec::new();
    for at in ["2026-03-02 00:00", "2026-03-02 21:00", "2026-03-03 02:00", "2026-03-04 02:00", "2026-03-05 02:00"] {
        world.referee_at(seoul(at)).await;
        if at == "2026-03-02 21:00" {
            mina.logs(&lunch("2026-03-02", 700)).await;
            mina.logs(&dinner("2026-03-02", 800)).await;
        }
        let n = facts::journal(&world.db, game.0).await.len();
        page.wait_for("the page has caught up", &format!("document.documentElement.dataset.n === '{n}'")).await;
        for scheme in ["light", "dark"] {
            page.set_taste(scheme, true).await;
            let found: Vec<String> = page.evaluate(PALE_TEXTS).await;
            pale.extend(found.into_iter().map(|text| format!("{at} {scheme}: {text}")));
        }
    }
    for path in ["/", "/watch/nonsense"] {
        page.goto(path).await;
        for scheme in ["light", "dark"] {
            page.set_taste(scheme, true).await;
            let found: Vec<String> = page.evaluate(PALE_TEXTS).await;
            pale.extend(found.into_iter().map(|text| format!("{path} {scheme}: {text}")));
        }
    }
    assert_eq!(pale, [""; 0], "every text stands out");
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_tells_a_screen_reader_what_happens() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    let mut page = Page::watches(&world.origin(), game).await;
    assert_eq!(page.evaluate::<String>("document.querySelector('#feed').getAttribute('aria-live')").await, "polite");
    assert_eq!(page.evaluate::<String>("document.querySelector('#connection').getAttribute('role')").await, "status");
    let nameless = "[...document.querySelectorAll('button, a, [role=table], [role=log], img')].filter(it =>
        !(it.textContent.trim() || it.ariaLabel || it.hasAttribute('alt') || it.hasAttribute('aria-labelledby')))";
    assert_eq!(page.evaluate::<u32>(&format!("{nameless}.length")).await, 0, "everything has a name");
    let headings: u32 = page.evaluate("document.querySelectorAll('h1').length").await;
    assert_eq!(headings, 1);
    let cells = "[...document.querySelectorAll('#board .row')].every(row => \
        row.querySelectorAll('[role=cell]').length === document.querySelectorAll('[role=columnheader]').length)";
    assert!(page.evaluate::<bool>(cells).await, "a cell for every column");
    page.close().await;
    world.stop().await;
}
