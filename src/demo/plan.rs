//! What every player of the demo does on every day: a pure function of the seed, the player's number and the day.
//!
//! It knows no clock and no server. The same seed is the same story, on any machine and with any release of any library:
//! the dice are our own. Every meal is eaten by 20:30 and every correction made by 21:30, long before the day's log
//! closes, so that a slow machine changes nothing either.

use lastbite_protocol::{WallTime, rest::MealKind};

use super::{
    dishes::{self, Dish},
    plates::Plate,
};

/// The middle of the day's band of energy.
pub const TARGET_KCAL: u32 = 1800;
/// Half the width of the band.
pub const TOLERANCE_KCAL: u32 = 200;
/// How many valid meals a day asks for.
pub const MEALS_AT_LEAST: u8 = 2;

/// A meal, as it will be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMeal {
    /// Which meal of the day.
    pub kind: MealKind,
    /// When it is eaten, and logged, on the challenge's wall clock.
    pub eaten_at: WallTime,
    /// What the player writes.
    pub note: String,
    /// What the player first enters.
    pub energy_kcal: u32,
    /// The picture, if the player takes one.
    pub photo: Option<Plate>,
    /// What the player does with it later.
    pub afterthought: Option<Afterthought>,
}

/// A second look at a meal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Afterthought {
    /// When.
    pub at: WallTime,
    /// What is done.
    pub change: Change,
}

/// A change to a logged meal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was mistyped; this is the true figure.
    Correct {
        /// The true energy.
        energy_kcal: u32,
    },
    /// It was logged twice.
    Delete,
}

impl PlannedMeal {
    /// The energy the referee will see.
    #[must_use]
    pub const fn final_kcal(&self) -> u32 {
        match self.afterthought {
            Some(Afterthought { change: Change::Correct { energy_kcal }, .. }) => energy_kcal,
            Some(Afterthought { change: Change::Delete, .. }) => 0,
            None => self.energy_kcal,
        }
    }
}

/// How a player goes about it, for the whole of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperament {
    /// Hits the middle of the band nearly every day.
    Disciplined,
    /// Mostly in the band, somewhere.
    Steady,
    /// Forgets to eat in time, or to log.
    Sloppy,
    /// The band ends where the afternoon begins.
    Snacker,
    /// Good all week; days 6 and 7 are for friends.
    WeekendParty,
    /// Eats too little, which loses as surely as too much.
    Undereater,
    /// Begins well and logs nothing after this day.
    GivesUp {
        /// The last day of good will.
        after: u16,
    },
    /// Loses a life on the first day and learns from it.
    Comeback,
}

/// The temperament of a player.
#[must_use]
pub fn temperament(seed: u64, player: u32) -> Temperament {
    let mut dice = Dice::thrown_for(seed, player, 0);
    match dice.below(100) {
        0..9 => Temperament::Disciplined,
        9..25 => Temperament::Steady,
        25..46 => Temperament::Sloppy,
        46..60 => Temperament::Snacker,
        60..74 => Temperament::WeekendParty,
        74..80 => Temperament::Undereater,
        80..90 => Temperament::GivesUp { after: dice.between(1, 3) as u16 },
        _ => Temperament::Comeback,
    }
}

/// What `player` eats and logs on `day` (from 1), in the order of the clock.
#[must_use]
pub fn day(seed: u64, player: u32, day: u16) -> Vec<PlannedMeal> {
    let mut dice = Dice::thrown_for(seed, player, day);
    let outcome = outcome(temperament(seed, player), day, &mut dice);
    let mut meals = match outcome {
        Outcome::Within { spread_kcal } => {
            let low = TARGET_KCAL - spread_kcal;
            let total = dice.between(low, TARGET_KCAL + spread_kcal);
            full_day(total, dice.chance(35), &mut dice)
        }
        Outcome::Over => {
            let total = TARGET_KCAL + TOLERANCE_KCAL + dice.between(150, 900);
            full_day(total, dice.chance(80), &mut dice)
        }
        Outcome::Under => {
            let total = dice.between(900, TARGET_KCAL - TOLERANCE_KCAL - 100);
            full_day(total, false, &mut dice)
        }
        Outcome::TooFewMeals => lone_dinner(&mut dice),
        Outcome::Nothing => Vec::new(),
    };
    second_thoughts(&mut meals, &mut dice);
    meals.sort_by_key(|meal| meal.eaten_at);
    meals
}

/// Who leaves the game, on which day and when; small and short games lose nobody.
#[must_use]
pub fn leaver(seed: u64, players: u32, days: u16) -> Option<(u32, u16, WallTime)> {
    if players < 6 || days < 3 {
        return None;
    }
    let mut dice = Dice::thrown_for(seed, u32::MAX, 0);
    // A sloppy one, where there is one: it shall not be the champion who walks away.
    let from = dice.below(players);
    let player =
        (from..players).chain(0..from).find(|player| temperament(seed, *player) == Temperament::Sloppy).unwrap_or(from);
    let day = dice.between(2, u32::from(days - 1)) as u16;
    Some((player, day, wall_time(dice.between(14 * 60, 17 * 60))))
}

/// How a day will end for a player.
enum Outcome {
    Within { spread_kcal: u32 },
    Over,
    Under,
    TooFewMeals,
    Nothing,
}

fn outcome(temperament: Temperament, day: u16, dice: &mut Dice) -> Outcome {
    let weekend = matches!(day % 7, 6 | 0);
    let (keeps_percent, spread_kcal) = match temperament {
        Temperament::Disciplined => (90, 60),
        Temperament::Steady => (64, 140),
        Temperament::Sloppy => (48, 180),
        Temperament::Snacker => (50, 190),
        Temperament::WeekendParty if weekend => (12, 190),
        Temperament::WeekendParty => (76, 120),
        Temperament::Undereater => (45, 190),
        Temperament::GivesUp { after } if day > after => return Outcome::Nothing,
        Temperament::GivesUp { .. } => (85, 120),
        Temperament::Comeback if day == 1 => return Outcome::TooFewMeals,
        Temperament::Comeback => (80, 80),
    };
    if dice.chance(keeps_percent) {
        return Outcome::Within { spread_kcal };
    }
    match temperament {
        Temperament::Undereater => Outcome::Under,
        Temperament::Snacker | Temperament::WeekendParty => Outcome::Over,
        Temperament::Sloppy if dice.chance(50) => Outcome::Nothing,
        _ if dice.chance(40) => Outcome::Over,
        _ => Outcome::TooFewMeals,
    }
}

/// Lunch and dinner, often breakfast, perhaps a snack, that add up to `total_kcal`.
fn full_day(total_kcal: u32, snack: bool, dice: &mut Dice) -> Vec<PlannedMeal> {
    let mut shares = vec![(MealKind::Lunch, dice.between(34, 42)), (MealKind::Dinner, dice.between(30, 40))];
    if snack {
        shares.push((MealKind::Snack, dice.between(8, 16)));
    }
    if total_kcal > 1300 && dice.chance(80) {
        shares.push((MealKind::Breakfast, dice.between(18, 26)));
    }
    let whole: u32 = shares.iter().map(|(_, share)| share).sum();
    let mut left_kcal = total_kcal;
    let last = shares.len() - 1;
    shares
        .into_iter()
        .enumerate()
        .map(|(place, (kind, share))| {
            // The last one takes what is left, so that rounding never moves the sum.
            let energy_kcal = if place == last { left_kcal } else { total_kcal * share / whole / 5 * 5 };
            left_kcal -= energy_kcal;
            meal(kind, usual_time(kind, dice), energy_kcal, dice)
        })
        .collect()
}

/// Enough energy, and not enough meals: lunch is eaten when its window is over.
fn lone_dinner(dice: &mut Dice) -> Vec<PlannedMeal> {
    let mut meals = vec![meal(MealKind::Dinner, usual_time(MealKind::Dinner, dice), dice.between(600, 900), dice)];
    if dice.chance(60) {
        let late = wall_time(dice.between(15 * 60 + 5, 17 * 60));
        meals.push(meal(MealKind::Lunch, late, dice.between(700, 950), dice));
    }
    meals
}

fn meal(kind: MealKind, eaten_at: WallTime, energy_kcal: u32, dice: &mut Dice) -> PlannedMeal {
    let dish = dish_of_about(kind, energy_kcal, dice);
    let note = match energy_kcal * 100 / dish.portion_kcal {
        0..75 => format!("{} (작은 그릇)", dish.name),
        75..130 => dish.name.to_owned(),
        _ => format!("{} (곱빼기)", dish.name),
    };
    let photo = dish.plate.filter(|_| dice.chance(45));
    PlannedMeal { kind, eaten_at, note, energy_kcal, photo, afterthought: None }
}

/// One of the three dishes whose usual portion is nearest.
fn dish_of_about(kind: MealKind, energy_kcal: u32, dice: &mut Dice) -> &'static Dish {
    let mut dishes: Vec<&Dish> = dishes::of(kind).iter().collect();
    dishes.sort_by_key(|dish| dish.portion_kcal.abs_diff(energy_kcal));
    dishes[dice.below(3) as usize]
}

/// Within the window in which a meal of this kind is a valid one.
fn usual_time(kind: MealKind, dice: &mut Dice) -> WallTime {
    let (earliest, latest) = match kind {
        MealKind::Breakfast => (6 * 60 + 40, 9 * 60 + 30),
        MealKind::Lunch => (11 * 60 + 20, 13 * 60 + 50),
        MealKind::Snack => (15 * 60 + 10, 17 * 60 + 20),
        MealKind::Dinner => (18 * 60 + 10, 20 * 60 + 30),
    };
    wall_time(dice.between(earliest, latest))
}

/// Some figures are mistyped and put right, and some meals are logged twice.
fn second_thoughts(meals: &mut Vec<PlannedMeal>, dice: &mut Dice) {
    if meals.is_empty() {
        return;
    }
    let which = dice.below(meals.len() as u32) as usize;
    let later = |meal: &PlannedMeal, minutes: u32| wall_time(u32::from(meal.eaten_at.minutes()) + minutes);
    match dice.below(100) {
        0..6 => {
            let meal = &mut meals[which];
            let at = later(meal, dice.between(20, 60));
            let change = Change::Correct { energy_kcal: meal.energy_kcal };
            meal.energy_kcal += dice.between(2, 8) * 50;
            meal.afterthought = Some(Afterthought { at, change });
        }
        6..10 => {
            let mut twice = meals[which].clone();
            twice.eaten_at = later(&twice, 2);
            twice.photo = None;
            twice.afterthought = Some(Afterthought { at: later(&twice, dice.between(10, 45)), change: Change::Delete });
            meals.push(twice);
        }
        _ => {}
    }
}

fn wall_time(minutes: u32) -> WallTime {
    u16::try_from(minutes).ok().and_then(WallTime::from_minutes).unwrap_or(WallTime::hour(20))
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and ours, so that no release of a library changes the story.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of their own for each day of each player; day 0 is before the first.
    #[must_use]
    pub fn thrown_for(seed: u64, player: u32, day: u16) -> Self {
        let mut dice = Self(seed);
        for part in [u64::from(player), u64::from(day)] {
            dice = Self(dice.next() ^ part);
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` − 1; 0 for a bound of 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        // The upper half times the bound, over 2³²: at most `bound` − 1, and even enough for a story.
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True in so many of a hundred throws.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYERS: u32 = 40;
    const DAYS: u16 = 7;

    fn in_window(meal: &PlannedMeal) -> bool {
        let hours = match meal.kind {
            MealKind::Breakfast => 6..11,
            MealKind::Lunch => 11..15,
            MealKind::Snack => 15..18,
            MealKind::Dinner => 18..23,
        };
        hours.contains(&(meal.eaten_at.minutes() / 60))
    }

    fn kept(meals: &[PlannedMeal]) -> bool {
        let last: Vec<_> = meals.iter().filter(|meal| meal.final_kcal() > 0).collect();
        let energy: u32 = last.iter().map(|meal| meal.final_kcal()).sum();
        let valid = last.iter().filter(|meal| in_window(meal)).count();
        energy.abs_diff(TARGET_KCAL) <= TOLERANCE_KCAL && valid >= usize::from(MEALS_AT_LEAST)
    }

    /// Still in after each day with one life to lose.
    fn alive_by_day(seed: u64) -> Vec<usize> {
        let missed_until = |player, last| (1..=last).filter(|at| !kept(&day(seed, player, *at))).count();
        (1..=DAYS).map(|last| (0..PLAYERS).filter(|player| missed_until(*player, last) <= 1).count()).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_story_and_another_seed_another() {
        let story = |seed| (0..PLAYERS).map(|player| day(seed, player, 3)).collect::<Vec<_>>();
        assert_eq!(story(1), story(1));
        assert_ne!(story(1), story(2));
    }

    #[test]
    fn the_dice_never_change() {
        let mut dice = Dice(1_234_567);
        // The first numbers of the reference implementation for this seed.
        let first: Vec<u64> = (0..3).map(|_| dice.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn all_is_said_long_before_the_log_closes() {
        for seed in 0..20 {
            for meal in (0..PLAYERS).flat_map(|player| (1..=DAYS).flat_map(move |at| day(seed, player, at))) {
                assert!(meal.eaten_at.minutes() <= 20 * 60 + 32, "{meal:?}");
                assert!(meal.energy_kcal <= 10_000 && meal.energy_kcal > 0, "{meal:?}");
                if let Some(thought) = meal.afterthought {
                    assert!(thought.at > meal.eaten_at && thought.at.minutes() <= 21 * 60 + 32, "{meal:?}");
                }
            }
        }
    }

    #[test]
    fn the_field_thins_out_and_somebody_is_left() {
        for seed in 0..50 {
            let alive = alive_by_day(seed);
            assert!(alive.is_sorted_by(|before, after| before >= after), "{seed}: {alive:?}");
            let survivors = *alive.last().expect("seven days");
            assert!((1..=12).contains(&survivors), "{seed}: {alive:?}");
        }
        let alive = alive_by_day(1);
        assert!(*alive.last().expect("seven days") <= 8, "the story of the first page: {alive:?}");
    }

    #[test]
    fn somebody_photographs_corrects_and_deletes() {
        let all: Vec<_> = (0..PLAYERS).flat_map(|player| (1..=DAYS).flat_map(move |at| day(1, player, at))).collect();
        let changed = |wanted: fn(&Change) -> bool| {
            all.iter().filter_map(|meal| meal.afterthought).any(|thought| wanted(&thought.change))
        };
        assert!(all.iter().any(|meal| meal.photo.is_some()));
        assert!(changed(|change| matches!(change, Change::Correct { .. })));
        assert!(changed(|change| matches!(change, Change::Delete)));
    }

    #[test]
    fn one_leaves_in_the_middle_of_a_game_that_is_large_enough() {
        let (player, at, _) = leaver(1, PLAYERS, DAYS).expect("40 players, 7 days");
        assert!(player < PLAYERS && (2..DAYS).contains(&at));
        assert_eq!(leaver(1, 2, DAYS), None);
    }
}
