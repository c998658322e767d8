//! What eating means for health, as pure integers: for now the floors under which no challenge may push anybody.

/// The least energy a day that any challenge may ask for: the floor for women, kcal.
pub const SAFE_FLOOR_KCAL_LEAST: u32 = 1200;

/// The floor of a user who did not state a sex, kcal a day: the higher one, that for men.
pub const SAFE_FLOOR_KCAL_UNSTATED: u32 = 1500;
