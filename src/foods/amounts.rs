//! Amounts as others tell them, in numbers with a point, made whole.

/// Half up; what is no number, or less than none, is none.
pub(super) fn whole(number: f64) -> u32 {
    (number + 0.5) as u32
}

/// What a part may be above its whole by rounding alone.
const ROUNDED_MG: u32 = 500;

/// A part of a whole, which it exceeds by rounding at most; else one of both is wrong, and the part is left out.
pub(super) fn part_of(part: Option<u32>, whole: Option<u32>) -> Option<u32> {
    match (part, whole) {
        (Some(part), Some(whole)) if part > whole => (part <= whole.saturating_add(ROUNDED_MG)).then_some(whole),
        (part, _) => part,
    }
}
