//! Days off, so many a week, and days that are void because nobody could tell what was eaten.

use super::*;
use crate::rules::Refusal;

fn off(log: &[LoggedMeal]) -> DayFacts<'_> {
    DayFacts { is_cheat: true, ..log.into() }
}

fn unknown(log: &[LoggedMeal]) -> DayFacts<'_> {
    DayFacts { is_unknown: true, ..log.into() }
}

#[test]
fn a_day_off_is_survived_keeps_the_streak_and_does_not_raise_it() {
    let mut mina = Mina::plays(challenge().with_lives(0));
    mina.ends_day_with(&two_meals(1500));
    let ruling = mina.ends_day_with(off(&two_meals(9000)));
    assert_eq!((ruling.verdict, ruling.points), (Verdict::Cheat, 30));
    let standing = &mina.standing;
    assert_eq!((standing.status, standing.streak, standing.days_cheat, standing.points), (Status::Alive, 1, 1, 121));
    assert_eq!(standing.recent.to_string(), "KC");
    assert_eq!(standing::mean_deviation_permille(standing), 0, "it is none of the days that the mean is of");
    mina.ends_day_with(&two_meals(1500));
    assert_eq!((mina.standing.streak, mina.standing.status), (2, Status::Survived));
}

#[test]
fn a_day_off_is_one_also_when_it_was_kept_or_nobody_knows_what_was_eaten() {
    let mut mina = Mina::plays(challenge());
    assert_eq!(mina.ends_day_with(off(&two_meals(1500))).verdict, Verdict::Cheat);
    let both = DayFacts { is_unknown: true, ..off(&[]) };
    assert_eq!(mina.ends_day_with(both).verdict, Verdict::Cheat);
}

#[test]
fn a_day_that_nobody_can_judge_is_as_if_it_had_not_been() {
    let mut mina = Mina::plays(challenge().with_lives(0));
    mina.ends_day_with(&two_meals(1500));
    let before = mina.standing.clone();
    let ruling = mina.ends_day_with(unknown(&[lunch(700)]));
    assert_eq!((ruling.verdict, ruling.points), (Verdict::Void, 0));
    assert_eq!(mina.standing.recent.to_string(), "KV");
    assert_eq!(Standing { recent: before.recent, ..mina.standing.clone() }, before, "no harm, no gain");
    assert_eq!(
        mina.ends_day_with(unknown(&two_meals(1500))).verdict,
        Verdict::Void,
        "what is unknown may have spoilt it"
    );
    assert_eq!(mina.standing.status, Status::Survived);
}

#[test]
fn days_off_are_counted_by_the_week_of_the_challenges_calendar() {
    // Two weeks from Monday 2 March.
    let terms = challenge().lasting(14);
    let asks = |day, taken: &[u16], at: &str| {
        let standing = standing::apply(None, &Event::Joined { player: MINA, nickname: "mina".to_owned(), lives: 2 });
        let entry = Entry {
            terms: &terms,
            status: lastbite_protocol::rest::ChallengeStatus::Running,
            seats_taken: 2,
            standing: standing.as_ref(),
            safety: Safety::UNSTATED,
        };
        decide::cheat(entry, day, taken, seoul(at))
    };
    let monday = "2026-03-02 12:00";
    assert_eq!(asks(1, &[], monday), Ok(()));
    assert_eq!(asks(1, &[1], monday), Ok(()), "asked twice is asked once");
    assert_eq!(asks(7, &[1], monday), Err(Refusal::NoCheatDayLeft { per_week: 1 }), "Sunday is of the same week");
    assert_eq!(asks(8, &[1], monday), Ok(()), "the next Monday is not");
    assert_eq!(asks(7, &[8], monday), Ok(()), "nor does that one use up this week");
    assert_eq!(asks(0, &[], monday), Err(Refusal::NoSuchDay));
    assert_eq!(asks(15, &[], monday), Err(Refusal::NoSuchDay));
    assert_eq!(asks(1, &[], "2026-03-03 01:59:59.999"), Ok(()), "until the log closes");
    assert_eq!(asks(1, &[], "2026-03-03 02:00"), Err(Refusal::DayClosed));
}
