//! Whether the time of an answer tells that an account exists: wrong passwords and forgotten ones, for addresses of mail
//! with an account and without, one after the other.
//!
//! What is told is the share of pairs in which the one without an account took longer: 0.5 when the time says nothing
//! (the probability that the Mann-Whitney U test is about), with its standard error.

use serde::Serialize;
use tokio::time::{Duration, Instant};

use crate::{
    Common,
    api::{Guest, User},
    arrivals::{Quantiles, histogram},
    report::{Report, Table, Tell, say},
    stage::{self, ServerClock},
    stop::Stop,
    target::Target,
};

/// A server slows the fifth wrong guess at an account.
const ROUNDS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(30);

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many accounts are asked about; four times each, and as often about addresses that have none
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=2000))]
    accounts: u32,
}

/// One kind of question.
#[derive(Debug, Serialize)]
struct Compared {
    with_account: Quantiles,
    without_account: Quantiles,
    median_difference_ms: f64,
    without_takes_longer: f64,
    standard_error: f64,
}

#[derive(Debug, Serialize)]
struct Timed {
    wrong_password: Compared,
    forgotten_password: Compared,
}

pub(crate) async fn run(common: &Common, wish: &Args, stop: Stop) -> anyhow::Result<()> {
    let target = Target::find(&common.url, common.i_own_this_server).await?;
    let clock = ServerClock::read(&target).await?;
    say(format_args!("registering {} accounts…", wish.accounts));
    let users = stage::register(&target, wish.accounts).await?;
    let asked = Asked { target: &target, users: &users, stop: &stop };
    let guesses = asked.all(0, async |guest, email| guest.guesses(email).await).await?;
    let letters = asked.all(guesses.count(), async |guest, email| guest.forgets(email).await).await?;
    let report = Report {
        command: "timing",
        target: &target.url,
        finished_at: clock.now(),
        ended_early: stop.asked(),
        result: Timed { wrong_password: guesses.compared()?, forgotten_password: letters.compared()? },
        errors: Default::default(),
    };
    report.publish(common.json.as_deref())
}

/// What is asked, of whom.
struct Asked<'a> {
    target: &'a Target,
    users: &'a [User],
    stop: &'a Stop,
}

impl Asked<'_> {
    /// Asks about each account, and about an address like it that has none; guests are numbered from `number` on.
    async fn all(
        &self,
        mut number: u32,
        ask: impl AsyncFn(&Guest, &str) -> anyhow::Result<()>,
    ) -> anyhow::Result<Samples> {
        let mut samples = Samples::default();
        for user in (0..ROUNDS).flat_map(|_| self.users).take_while(|_| !self.stop.asked()) {
            let guest = Guest::new(self.target, self.target.source_of_guest(number))?;
            guest.warm_up().await?;
            let nobody = stage::email_of_nobody(user.email());
            let mut questions = [(user.email(), true), (nobody.as_str(), false)];
            // Neither is always the first.
            if number.is_multiple_of(2) {
                questions.reverse();
            }
            for (email, exists) in questions {
                let sent = Instant::now();
                ask(&guest, email).await?;
                samples.add(exists, sent.elapsed());
                // What the server does after its answer is not to meet the next question.
                tokio::time::sleep(PAUSE).await;
            }
            number += 1;
        }
        Ok(samples)
    }
}

#[derive(Default)]
struct Samples {
    with_account: Vec<Duration>,
    without: Vec<Duration>,
}

impl Samples {
    fn count(&self) -> u32 {
        u32::try_from(self.without.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, exists: bool, took: Duration) {
        if exists { &mut self.with_account } else { &mut self.without }.push(took);
    }

    fn compared(&self) -> anyhow::Result<Compared> {
        let quantiles = |samples: &[Duration]| -> anyhow::Result<Quantiles> {
            let mut all = histogram()?;
            for sample in samples {
                all.saturating_record(u64::try_from(sample.as_micros())?.max(1));
            }
            Ok((&all).into())
        };
        let (with_account, without_account) = (quantiles(&self.with_account)?, quantiles(&self.without)?);
        let pairs = (self.with_account.len() * self.without.len()) as f64;
        let longer =
            self.with_account.iter().map(|with| self.without.iter().filter(|it| *it > with).count()).sum::<usize>();
        Ok(Compared {
            median_difference_ms: without_account.p50_ms - with_account.p50_ms,
            with_account,
            without_account,
            without_takes_longer: longer as f64 / pairs,
            standard_error: ((self.with_account.len() + self.without.len() + 1) as f64 / (12.0 * pairs)).sqrt(),
        })
    }
}

impl Tell for Timed {
    fn tell(&self, table: &mut Table) {
        for (what, of) in [("wrong password", &self.wrong_password), ("forgotten password", &self.forgotten_password)] {
            table
                .quantiles(&format!("{what}, account"), &of.with_account)
                .quantiles(&format!("{what}, none"), &of.without_account)
                .line("  medians differ by", format_args!("{:.3} ms", of.median_difference_ms))
                .line(
                    "  without takes longer",
                    format_args!(
                        "in {:.3} of all pairs (0.5 tells nothing) ± {:.3}",
                        of.without_takes_longer, of.standard_error
                    ),
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_half_and_what_is_slower_is_seen() {
        let mut samples = Samples::default();
        for us in 1..=100 {
            samples.add(true, Duration::from_micros(2 * us));
            samples.add(false, Duration::from_micros(2 * us + 1));
        }
        let alike = samples.compared().expect("figures");
        assert!((alike.without_takes_longer - 0.5).abs() < 0.01, "{alike:?}");
        for us in 1..=100 {
            samples.add(false, Duration::from_micros(1000 + us));
        }
        let slower = samples.compared().expect("figures");
        assert!(slower.without_takes_longer > 0.5 + 5.0 * slower.standard_error, "{slower:?}");
    }
}
