//! The one rounding of an exact fraction at its end: to the nearest whole, half up. No sum is made here, and nothing is
//! rounded on the way to one.

/// A fraction as a whole number; `u32::MAX` for what is greater. The denominator is not 0, and both are under 2^126.
pub(super) fn half_up(numerator: u128, denominator: u128) -> u32 {
    u32::try_from((2 * numerator + denominator) / (2 * denominator)).unwrap_or(u32::MAX)
}

/// The same with a sign: a half goes towards more, so −2.5 becomes −2. Held within `i32`.
pub(super) fn half_up_signed(numerator: i128, denominator: i128) -> i32 {
    let rounded = (2 * numerator + denominator).div_euclid(2 * denominator);
    let held = rounded.clamp(i128::from(i32::MIN), i128::from(i32::MAX));
    // It was held within the range just now.
    i32::try_from(held).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|n| half_up(n, 4)), [0, 0, 1, 1, 1, 1, 2, 2]);
        assert_eq!([1, 2, 4, 5].map(|n| half_up(n, 3)), [0, 1, 1, 2]);
        assert_eq!([-7, -6, -5, -2, -1, 1, 2].map(|n| half_up_signed(n, 4)), [-2, -1, -1, 0, 0, 0, 1]);
    }

    #[test]
    fn what_is_too_great_is_held() {
        assert_eq!(half_up(u128::from(u32::MAX), 1), u32::MAX);
        assert_eq!(half_up(1 << 100, 1), u32::MAX);
        assert_eq!(half_up_signed(1 << 100, 1), i32::MAX);
        assert_eq!(half_up_signed(-(1 << 100), 1), i32::MIN);
    }
}
