//! How many access tokens one core checks in a second, beside what it cannot do without: verifying one signature of
//! Ed25519 over as many bytes, and nothing else.
//!
//! `cargo bench --bench token_checks`

use std::{hint::black_box, io::Write, time::Instant};

use ed25519_dalek::{Signer, SigningKey};
use lastbite::{
    auth::{Auth, Keys, Live, SigningSeed, keys::KeyRow},
    clock::Clock,
};
use lastbite_protocol::{SessionId, UserId};

const ROUNDS: usize = 7;
const CHECKS: u32 = 20_000;

fn main() -> anyhow::Result<()> {
    let wall = Clock::system().wall();
    let row = KeyRow { id: uuid::Uuid::now_v7(), made_at: wall };
    let seed = SigningSeed::random();
    let auth = Auth { keys: Keys::new(seed.clone(), &[row])?, live: Live::default() };
    let token = auth.keys.sign(UserId::generate(), SessionId::generate(), wall)?;
    let forged = format!("{}A", &token[..token.len() - 1]);
    let key: SigningKey = seed.signing_key(row.id);
    let message = token.as_bytes();
    let (signature, public) = (key.sign(message), key.verifying_key());

    let mut rows: [(&str, Vec<f64>); 3] =
        [("one signature verified", Vec::new()), ("a token checked", Vec::new()), ("a forged one refused", Vec::new())];
    // In turn, so that what else the machine does meets all of them.
    for _ in 0..ROUNDS {
        rows[0].1.push(per_second(|| public.verify_strict(message, &signature).is_ok()));
        rows[1].1.push(per_second(|| auth.check(black_box(&token)).is_ok()));
        rows[2].1.push(per_second(|| auth.check(black_box(&forged)).is_err()));
    }
    let mut out = std::io::stdout().lock();
    let beside = median(&mut rows[0].1);
    for (what, rates) in &mut rows {
        let rate = median(rates);
        writeln!(out, "{what:<24} {rate:>9.0} a second   {:.2} of the signature alone", rate / beside)?;
    }
    Ok(())
}

/// How often a second it is done, when it is done many times.
fn per_second(work: impl Fn() -> bool) -> f64 {
    let begun = Instant::now();
    for _ in 0..CHECKS {
        assert!(black_box(work()));
    }
    f64::from(CHECKS) / begun.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
