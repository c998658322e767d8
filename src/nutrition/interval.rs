//! How far the energy of a meal may be from its one value, by where the value comes from. The interval is kept for the
//! judging of a photo finish and shown as "≈"; verdicts use the value, and nothing here is a statistic of our own.

/// Where the energy of a meal comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnergySource {
    /// A model looked at a photo: ±30 %, and ±100 kcal at least. The best published models err by about 100 kcal a meal
    /// (mean absolute error), so a small meal is not known better than that.
    Photo,
    /// A person entered it by hand: ±20 %.
    Estimate,
    /// A table says what is in the food, and how much there was of it was not weighed: ±20 %.
    Table,
    /// The label of a product: ±20 %. Korea lets energy be up to 120 % of what is declared, and the EU's guidance of
    /// 2012 lets the macros that make it be off by 20 % either way in the middle of their range.
    Label,
    /// A table says what is in the food, and it was weighed: ±10 %, as much as foods of one name differ.
    Weighed,
}

impl EnergySource {
    /// Half of the interval as a share of the value, percent.
    const fn percent(self) -> u64 {
        match self {
            Self::Photo => 30,
            Self::Estimate | Self::Table | Self::Label => 20,
            Self::Weighed => 10,
        }
    }

    /// Half of the interval at least, kcal.
    const fn least_kcal(self) -> u64 {
        match self {
            Self::Photo => 100,
            Self::Estimate | Self::Table | Self::Label | Self::Weighed => 0,
        }
    }
}

/// The energies between which a meal's lies, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Never above the value.
    pub energy_kcal_low: u32,
    /// Never under the value.
    pub energy_kcal_high: u32,
}

/// The interval around a value, kcal. Half its width is rounded up to a kcal, so it is never narrower than its share
/// says; the low edge is held at 0 and the high one at `u32::MAX`.
#[must_use]
pub fn around(energy_kcal: u32, source: EnergySource) -> Interval {
    let share_kcal = (u64::from(energy_kcal) * source.percent()).div_ceil(100);
    let half_kcal = u32::try_from(share_kcal.max(source.least_kcal())).unwrap_or(u32::MAX);
    Interval {
        energy_kcal_low: energy_kcal.saturating_sub(half_kcal),
        energy_kcal_high: energy_kcal.saturating_add(half_kcal),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    const SOURCES: [EnergySource; 5] =
        [EnergySource::Photo, EnergySource::Estimate, EnergySource::Table, EnergySource::Label, EnergySource::Weighed];

    fn edges(energy_kcal: u32, source: EnergySource) -> (u32, u32) {
        let interval = around(energy_kcal, source);
        (interval.energy_kcal_low, interval.energy_kcal_high)
    }

    #[test]
    fn widths() {
        assert_eq!(edges(600, EnergySource::Photo), (420, 780));
        assert_eq!(edges(600, EnergySource::Estimate), (480, 720));
        assert_eq!(edges(600, EnergySource::Table), (480, 720));
        assert_eq!(edges(600, EnergySource::Label), (480, 720));
        assert_eq!(edges(600, EnergySource::Weighed), (540, 660));
    }

    #[test]
    fn a_photo_is_off_by_a_hundred_kcal_at_least() {
        assert_eq!(edges(333, EnergySource::Photo), (233, 433));
        assert_eq!(edges(334, EnergySource::Photo), (233, 435));
        assert_eq!(edges(60, EnergySource::Photo), (0, 160));
        assert_eq!(edges(0, EnergySource::Photo), (0, 100));
    }

    #[test]
    fn edges_are_rounded_outwards_and_held() {
        assert_eq!(edges(1, EnergySource::Weighed), (0, 2));
        assert_eq!(edges(101, EnergySource::Label), (80, 122));
        assert_eq!(edges(0, EnergySource::Label), (0, 0));
        assert_eq!(edges(u32::MAX, EnergySource::Photo).1, u32::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_value_is_within_and_a_better_source_is_no_wider(value in any::<u32>(), source in select(&SOURCES[..])) {
            let (low, high) = edges(value, source);
            prop_assert!(low <= value && value <= high);
            let (photo_low, photo_high) = edges(value, EnergySource::Photo);
            let (weighed_low, weighed_high) = edges(value, EnergySource::Weighed);
            prop_assert!(photo_low <= low && high <= photo_high);
            prop_assert!(low <= weighed_low && weighed_high <= high);
        }

        #[test]
        fn more_energy_moves_both_edges_up(value in 0_u32..20_000, source in select(&SOURCES[..])) {
            let (less, more) = (edges(value, source), edges(value + 1, source));
            prop_assert!(less.0 <= more.0 && less.1 < more.1);
        }
    }
}
