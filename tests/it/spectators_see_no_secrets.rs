//! What of a player's day others may see: rows and places, never what was eaten or why a day was lost.

use std::collections::BTreeSet;

use lastbite_protocol::rest::ChallengeStatus;
use serde_json::Value;

use crate::support::{World, challenge, dinner, lunch, seoul, snack};

/// Every key of the JSON, however deep.
fn keys(json: &Value, into: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

#[tokio::test]
async fn a_whole_challenge_shows_a_spectator_no_energy_no_meals_and_no_reasons() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    jun.joins(game).await;
    let mut spectator = world.spectator(game).await;
    let mut other_player = jun.watches(game).await;
    for date in ["2026-03-02", "2026-03-03", "2026-03-04"] {
        world.referee_at(seoul(&format!("{date} 21:00"))).await;
        mina.logs(&lunch(date, 713)).await;
        mina.logs(&dinner(date, 787)).await;
        let eaten = mina.logs(&snack(date, 6789)).await;
        mina.deletes(eaten.meal.id).await;
    }
    world.referee_at(seoul("2026-03-05 02:00")).await;
    spectator.sees("the end", |board| board.status == Some(ChallengeStatus::Finished)).await;
    other_player.sees("the end", |board| board.status == Some(ChallengeStatus::Finished)).await;
    let is_out = "jun is out after two";
    other_player.sees(is_out, |own| own.me.as_ref().is_some_and(|me| me.standing.days_missed == 2)).await;
    assert!(spectator.model.me.is_none(), "only players have a place of their own");

    let expected = [
        "after_ms alive board champions champions_total clock_rate closes_at counts day days days_kept days_missed",
        "eliminated eliminated_on ends_at event events from heartbeat_ms kept key lives lives_left missed n nickname out",
        "left players points player recent removed rows server_time session starts_at status streak stream",
        "survivors title type watching window at",
    ];
    let public: BTreeSet<String> = expected.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect();
    let of_me =
        "me around rank standing best_streak days_cheat deviation_permille_sum open_days progress left_at".split(' ');
    let own: BTreeSet<String> = public.iter().cloned().chain(of_me.map(str::to_owned)).collect();
    for (viewer, allowed) in [(&spectator, &public), (&other_player, &own)] {
        let mut seen = BTreeSet::new();
        for text in &viewer.texts {
            keys(&serde_json::from_str(text).unwrap(), &mut seen);
            for secret in ["kcal", "energy", "\"event\":\"progressed\"", "\"event\":\"judged\"", "meal", "@example"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
            // The amounts themselves, whatever they would be called.
            for amount in ["713", "787", "6789", "1500"] {
                let shown = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == amount);
                assert!(!shown, "{amount} in {text}");
            }
        }
        let unknown: Vec<_> = seen.difference(allowed).collect();
        assert!(unknown.is_empty(), "keys that nobody has allowed: {unknown:?}");
    }
    // Nothing of the own place of others, which knows the progress of their open days.
    let of_mina = format!(r#""player":"{}""#, mina.id);
    assert!(other_player.texts.iter().any(|text| text.contains(&of_mina)));
    assert!(!spectator.texts.iter().any(|text| text.contains("deviation_permille_sum") || text.contains("open_days")));
    world.stop().await;
}

#[tokio::test]
async fn a_user_who_does_not_play_is_told_no_place() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let game = mina.hosts(&challenge()).await;
    mina.joins(game).await;
    let mut guest = jun.watches(game).await;
    let mut player = mina.watches(game).await;
    player.sees("her place", |own| own.me.is_some()).await;
    assert!(guest.model.me.is_none());
    jun.joins(game).await;
    guest.sees("a place, once he plays", |own| own.me.as_ref().is_some_and(|me| me.around.len() == 2)).await;
    player.sees("that he is here", |own| own.me.as_ref().is_some_and(|me| me.around.len() == 2)).await;
    jun.leaves(game).await;
    player.sees("that she is alone", |own| own.me.as_ref().is_some_and(|me| me.around.len() == 1)).await;
    world.stop().await;
}

#[tokio::test]
async fn everybody_knows_how_many_watch() {
    let world = World::open().await;
    let game = world.user("mina").await.hosts(&challenge()).await;
    let mut first = world.spectator(game).await;
    first.sees("one watches", |board| board.watching == Some(1)).await;
    let mut second = world.spectator(game).await;
    let third = world.spectator(game).await;
    first.sees("three watch", |board| board.watching == Some(3)).await;
    second.sees("three watch", |board| board.watching == Some(3)).await;
    drop(third);
    first.sees("two watch", |board| board.watching == Some(2)).await;
    // Who comes when nothing changes in number is told all the same.
    drop(second);
    let mut fourth = world.spectator(game).await;
    fourth.sees("two watch", |board| board.watching == Some(2)).await;
    world.stop().await;
}
