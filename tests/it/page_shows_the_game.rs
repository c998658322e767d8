//! The spectator page in a real browser: who watches sees the game move, without a reload, from the first player to the
//! podium.

use lastbite_protocol::ChallengeId;

use crate::support::{Page, World, challenge, dinner, lunch, seoul};

#[tokio::test]
async fn page_moves_when_a_meal_is_logged() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    let mut page = Page::watches(&world.origin(), game).await;
    assert_eq!(page.text("#title").await, "봄 챌린지");
    assert_eq!(page.evaluate::<String>("document.title").await, "봄 챌린지 · Lastbite");
    assert_eq!(page.text("#alive").await, "1");
    assert_eq!(page.text("#status").await, "곧 시작");

    jun.joins(game).await;
    page.wait_for("jun is counted", "document.querySelector('#alive').textContent === '2'").await;
    page.wait_for("jun is told", "document.querySelector('#feed [data-event=joined] bdi').textContent === 'jun'").await;

    page.evaluate::<u8>("window.sameVisit = 1").await;
    world.referee_at(seoul("2026-03-02 00:00")).await;
    page.wait_for("the day begins", "document.querySelector('#feed [data-event=day_opened]')").await;
    page.wait_for("it runs", "document.querySelector('#status').textContent === '진행 중'").await;
    assert_eq!(page.text("#day-title").await, "1일째");

    world.time(seoul("2026-03-02 13:00"));
    page.row_is(mina.id, "[data-rank='1'][data-points='0']").await;
    jun.logs(&lunch("2026-03-02", 700)).await;
    page.row_is(jun.id, "[data-rank='1'][data-points='30']").await;
    page.row_is(mina.id, "[data-rank='2'][data-points='0']").await;
    assert_eq!(page.board().await.rows[0].player, jun.id, "the leader is on top");
    world.time(seoul("2026-03-02 20:00"));
    mina.logs(&lunch("2026-03-02", 700)).await;
    mina.logs(&dinner("2026-03-02", 800)).await;
    page.row_is(mina.id, "[data-rank='1'][data-points='60']").await;
    page.row_is(jun.id, "[data-rank='2']").await;
    let counted = format!("#board [data-player='{}'] .points .number", mina.id);
    page.wait_for("the points count up", &format!("document.querySelector({counted:?}).textContent === '60'")).await;

    page.ends_equal_to(&mut world.spectator(game).await).await;
    assert_eq!(page.evaluate::<u8>("window.sameVisit").await, 1, "it never had to reload");
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_tells_who_falls_and_who_wins() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let mut page = Page::watches(&world.origin(), game).await;
    assert!(page.evaluate::<bool>("document.querySelector('#podium').hidden").await, "nobody has won yet");

    for (day, date) in [(1, "2026-03-02"), (2, "2026-03-03"), (3, "2026-03-04")] {
        world.referee_at(seoul(&format!("{date} 21:00"))).await;
        let opened = format!("document.querySelector('#day-title').textContent === '{day}일째'");
        page.wait_for("the day on the clock", &opened).await;
        mina.logs(&lunch(date, 700)).await;
        mina.logs(&dinner(date, 800)).await;
        page.row_is(mina.id, "[data-rank='1']").await;
        if day == 2 {
            page.wait_for("the first verdict", "document.querySelector('#feed [data-event=day_closed]')").await;
            let figures = page.text("#last-day .figures").await;
            assert_eq!(figures, "성공 1실패 1탈락 0생존 2", "day 1: mina kept it, jun missed it");
            page.row_is(jun.id, "[data-status='alive'].last-life").await;
            assert_eq!(page.text("#out").await, "0");
        }
    }
    page.row_is(jun.id, "[data-rank='2'][data-status='eliminated']").await;
    let told = "document.querySelector('#feed [data-event=eliminated] bdi').textContent === 'jun'";
    page.wait_for("the end of jun", told).await;
    page.wait_for("one is out", "document.querySelector('#out').textContent === '1'").await;
    page.wait_for("one dot is bitten", "document.querySelectorAll('#field .dot.out').length === 1").await;

    world.referee_at(seoul("2026-03-05 02:00")).await;
    page.wait_for("the podium", "!document.querySelector('#podium').hidden").await;
    page.wait_for("the champion", &format!("document.querySelector('#podium [data-champion=\"{}\"]')", mina.id)).await;
    page.wait_for("the end is told", "document.querySelector('#feed [data-event=finished]')").await;
    assert!(page.evaluate::<bool>("document.querySelector('#clock').hidden").await, "no clock runs any more");
    page.ends_equal_to(&mut world.spectator(game).await).await;

    page.goto(&format!("/watch/{game}")).await;
    page.is_live().await;
    let champion = format!("document.querySelector('#podium [data-champion=\"{}\"]')", mina.id);
    page.wait_for("the podium for who comes later", &champion).await;
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_says_so_when_there_is_no_such_challenge() {
    let world = World::open().await;
    let unknown = ChallengeId(uuid::Uuid::now_v7());
    let mut page = Page::open(&world.origin(), &format!("/watch/{unknown}")).await;
    // The question whether there is such a challenge is answered with 404, which a console repeats.
    page.forgives("404");
    for path in [format!("/watch/{unknown}"), "/watch/nonsense".to_owned()] {
        page.goto(&path).await;
        page.wait_for("the notice", "!document.querySelector('#notice').hidden").await;
        assert_eq!(page.text("#notice-title").await, "그런 챌린지는 없습니다");
        assert!(page.evaluate::<bool>("document.querySelector('#main').hidden").await, "and shows no empty board");
    }
    page.close().await;
    world.stop().await;
}

#[tokio::test]
async fn page_shows_what_people_write_as_text_only() {
    let world = World::open().await;
    // No nickname may look like that; should one ever, it is text too.
    let name = "<img src=x onerror=window.hacked=1>";
    let mina = world.crowd([name.to_owned()]).await.remove(0);
    let mut wish = challenge();
    wish.title = "<img src=x onerror=window.hacked=1>".to_owned();
    wish.description = "<script>window.hacked=1</script>".to_owned();
    let game = mina.hosts(&wish).await;
    mina.joins(game).await;
    let mut page = Page::watches(&world.origin(), game).await;
    assert_eq!(page.text("#title").await, wish.title);
    page.wait_for("the description", "!document.querySelector('#about').hidden").await;
    assert_eq!(page.text("#description").await, wish.description);
    page.wait_for("the name", &format!("document.querySelector('#board').textContent.includes('{name}')")).await;
    assert!(page.evaluate::<bool>("window.hacked === undefined && !document.querySelector('main img[src=x]')").await);
    page.close().await;
    world.stop().await;
}
