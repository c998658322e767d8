//! The one comparator of a board, and ranks from it.

use lastbite_protocol::{SortKey, Standing, Status};

use super::standing::{mean_deviation_permille, points_shown};

/// What orders a board: alive and survived before eliminated (the later out, the higher) before left; then points,
/// days kept, streak, then the smaller mean deviation. The smaller key is the better; equal keys share a rank.
#[must_use]
pub fn key(standing: &Standing) -> SortKey {
    let class = match standing.status {
        Status::Alive | Status::Survived => 0,
        Status::Eliminated => 1,
        Status::Left => 2,
    };
    SortKey([
        class,
        -i32::from(standing.eliminated_on.unwrap_or(0)),
        -signed(points_shown(standing)),
        -i32::from(standing.days_kept),
        -i32::from(standing.streak),
        signed(mean_deviation_permille(standing)),
    ])
}

fn signed(amount: u32) -> i32 {
    i32::try_from(amount).unwrap_or(i32::MAX)
}

/// The ranks of keys that are in order: equal keys share one, and the next is skipped (1, 2, 2, 4).
pub fn ranks(ordered: impl IntoIterator<Item = SortKey>) -> impl Iterator<Item = u32> {
    let mut previous: Option<(SortKey, u32)> = None;
    ordered.into_iter().zip(1..).map(move |(key, place)| {
        let rank = previous.filter(|(before, _)| *before == key).map_or(place, |(_, rank)| rank);
        previous = Some((key, rank));
        rank
    })
}
