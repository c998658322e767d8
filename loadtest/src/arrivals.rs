//! From what each spectator saw to the latency of each meal on each screen.

use hdrhistogram::Histogram;
use serde::Serialize;

/// More pairs of meal and screen than this are not counted one by one; every k-th meal is.
const PAIRS_MAX: u64 = 50_000_000;
const LATENCY_MAX_US: u64 = 600_000_000;

/// A spectator's stream reached `n` at this time of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) n: u64,
    /// Microseconds since the run's beginning; a run is far shorter than the 71 minutes that fit.
    pub(crate) at_us: u32,
}

/// A meal that the server took, as number `n` of the challenge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted {
    pub(crate) n: u64,
    /// When the request was begun, as above.
    pub(crate) sent_us: u32,
    /// How long the answer took.
    pub(crate) answer_us: u32,
}

/// All latencies of a run.
#[derive(Debug)]
pub(crate) struct Screens {
    pub(crate) latency: Histogram<u64>,
    /// Pairs of meal and screen of which nothing was seen.
    pub(crate) missing: u64,
    /// One in so many meals was looked at.
    pub(crate) sampled_one_in: u64,
}

/// A histogram of microseconds.
pub(crate) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LATENCY_MAX_US, 3)?)
}

/// Joins meals with what came to the screens: a meal is on a screen with the first arrival at its number or above.
/// `screens` holds each spectator's arrivals, their numbers ascending.
pub(crate) fn join(mut posted: Vec<Posted>, screens: &[Vec<Arrival>]) -> anyhow::Result<Screens> {
    posted.sort_by_key(|posted| posted.n);
    let pairs = posted.len() as u64 * screens.len() as u64;
    let sampled_one_in = pairs.div_ceil(PAIRS_MAX).max(1);
    let step = usize::try_from(sampled_one_in)?;
    let mut latency = histogram()?;
    let mut missing = 0;
    for arrivals in screens {
        let mut rest = arrivals.as_slice();
        for posted in posted.iter().step_by(step) {
            let passed = rest.partition_point(|arrival| arrival.n < posted.n);
            rest = &rest[passed..];
            match rest.first() {
                Some(arrival) => {
                    latency.saturating_record(u64::from(arrival.at_us.saturating_sub(posted.sent_us)).max(1));
                }
                None => missing += 1,
            }
        }
    }
    Ok(Screens { latency, missing, sampled_one_in })
}

/// A histogram in the figures that are told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) count: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl From<&Histogram<u64>> for Quantiles {
    fn from(of: &Histogram<u64>) -> Self {
        let ms = |us: u64| us as f64 / 1000.0;
        let at = |quantile| ms(of.value_at_quantile(quantile));
        Self {
            count: of.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: ms(of.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meal_is_on_a_screen_with_the_first_number_not_below_its_own() {
        let posted = |n, sent_us| Posted { n, sent_us, answer_us: 1 };
        let seen = |arrivals: &[(u64, u32)]| -> Vec<Arrival> {
            arrivals.iter().map(|(n, at_us)| Arrival { n: *n, at_us: *at_us }).collect()
        };
        let screens = [seen(&[(3, 100), (6, 5_000)]), seen(&[(4, 300)])];
        // The answers came in another order than the numbers.
        let joined = join(vec![posted(5, 1_000), posted(3, 50)], &screens).expect("joined");
        let mut latencies: Vec<u64> = joined.latency.iter_recorded().map(|step| step.value_iterated_to()).collect();
        latencies.sort_unstable();
        assert_eq!((latencies.len(), latencies[0], latencies[1]), (3, 50, 250));
        assert!(latencies[2].abs_diff(4_000) <= 4);
        assert_eq!((joined.missing, joined.sampled_one_in), (1, 1));
    }
}
