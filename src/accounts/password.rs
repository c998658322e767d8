//! Passwords: Argon2id, in threads of their own and few at once, so that a flood of log-ins never slows the game.
//!
//! - `workers`: the threads

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::workers::{Full, Workers};
use crate::{
    error::{ApiError, ApiResult},
    limits,
};

mod workers;

/// Passwords that everybody tries first. Eight characters and more; shorter ones are refused anyway.
const COMMON: [&str; 40] = [
    "password",
    "password1",
    "password12",
    "password123",
    "passw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "11111111",
    "00000000",
    "88888888",
    "87654321",
    "qwertyui",
    "qwertyuiop",
    "qwerty123",
    "qwer1234",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "zaq12wsx",
    "asdfasdf",
    "asdf1234",
    "asdfghjkl",
    "abcd1234",
    "abc12345",
    "aaaaaaaa",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "welcome1",
    "letmein1",
    "trustno1",
    "starwars",
    "computer",
    "whatever",
    "lastbite",
    "changeme",
];

/// Hashes and checks passwords.
#[derive(Clone, Debug)]
pub struct Hasher {
    workers: Workers,
    /// Of those running and waiting, who is new to the account.
    strangers: Arc<Semaphore>,
    /// Checked when there is no such account, so that the answer takes the same time.
    nobody: Arc<str>,
    desks: Desks,
}

/// The memory of a hashing, 19 MiB, used again by the next one: freed, it would stay with whichever thread had it, and
/// after some logins every thread would hold one.
#[derive(Clone, Default)]
struct Desks(Arc<Mutex<Vec<Vec<Block>>>>);

impl std::fmt::Debug for Desks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desks")
    }
}

/// Whether a password is the one that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is another one, or there is none.
    No,
    Yes,
    /// It is, and what is stored is weaker than what would be stored today.
    YesWeakly,
}

impl Hasher {
    /// A hasher.
    ///
    /// # Errors
    /// Hashing does not work at all, or there can be no more threads.
    pub fn new() -> anyhow::Result<Self> {
        let desks = Desks::default();
        Ok(Self {
            workers: Workers::start()?,
            strangers: Arc::new(Semaphore::new(limits::HASHINGS_OF_STRANGERS_MAX)),
            nobody: desks.hash(b"nobody has this password")?.into(),
            desks,
        })
    }

    /// The PHC string of a new password. For strangers there are fewer places.
    ///
    /// # Errors
    /// 503 `busy` when too many wait.
    pub async fn hash(&self, password: String, is_known: bool) -> ApiResult<String> {
        let _place = self.place(is_known)?;
        let desks = self.desks.clone();
        Ok(self.run(move || desks.hash(password.as_bytes())).await??)
    }

    /// Whether a password fits; takes as long without an account. For who is new to the account there are fewer places.
    ///
    /// # Errors
    /// 503 `busy` when too many wait.
    pub async fn fits(&self, password: String, stored: Option<String>, is_known: bool) -> ApiResult<Fit> {
        let _place = self.place(is_known)?;
        let (exists, stored) = match stored {
            Some(stored) => (true, stored),
            None => (false, self.nobody.to_string()),
        };
        let desks = self.desks.clone();
        let fit = self.run(move || desks.fits(password.as_bytes(), &stored)).await??;
        Ok(if exists { fit } else { Fit::No })
    }

    fn place(&self, is_known: bool) -> ApiResult<Option<SemaphorePermit<'_>>> {
        if is_known { Ok(None) } else { self.strangers.try_acquire().map(Some).map_err(|_| busy()) }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
        Ok(self.workers.run(work).await.map_err(|Full| busy())??)
    }
}

fn busy() -> ApiError {
    ApiError::unavailable("busy", "too many are signing in at this moment")
}

impl Desks {
    fn hash(&self, password: &[u8]) -> anyhow::Result<String> {
        let (params, salt) = (params()?, Salt::generate());
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(failed)?,
            salt: Some(salt),
            hash: Some(self.output(Algorithm::Argon2id, Version::V0x13, params, password, &salt)?),
        };
        Ok(hash.to_string())
    }

    fn fits(&self, password: &[u8], stored: &str) -> anyhow::Result<Fit> {
        let stored = PasswordHash::new(stored).map_err(failed)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { anyhow::bail!("a hash without salt") };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(failed)?;
        let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from).map_err(failed)?;
        let params = Params::try_from(&stored).map_err(failed)?;
        let strong = algorithm == Algorithm::Argon2id
            && params.m_cost() >= limits::ARGON2_MEMORY_KIB
            && params.t_cost() >= limits::ARGON2_PASSES;
        // In constant time, as the type compares.
        Ok(match self.output(algorithm, version, params, password, salt)? == *expected {
            false => Fit::No,
            true if strong => Fit::Yes,
            true => Fit::YesWeakly,
        })
    }

    fn output(
        &self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        password: &[u8],
        salt: &[u8],
    ) -> anyhow::Result<Output> {
        let mut desk = self.0.lock().pop().unwrap_or_default();
        desk.resize(params.block_count(), Block::new());
        let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let argon2 = Argon2::new(algorithm, version, params);
        let hashed = argon2.hash_password_into_with_memory(password, salt, &mut output, &mut desk);
        self.0.lock().push(desk);
        hashed.map_err(failed)?;
        Output::new(&output).map_err(failed)
    }
}

fn params() -> anyhow::Result<Params> {
    Params::new(limits::ARGON2_MEMORY_KIB, limits::ARGON2_PASSES, limits::ARGON2_LANES, None).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("argon2: {error}")
}

/// Refuses a password, named by its field, that is too short, too long or known to everybody.
///
/// # Errors
/// 422 `password_weak`.
pub(super) fn check(field: &'static str, password: &str) -> ApiResult<()> {
    let weak = |detail: &str| Err(ApiError::invalid("password_weak", field, detail));
    let chars = password.chars().count();
    if !limits::PASSWORD_CHARS.contains(&chars) || password.len() > limits::PASSWORD_BYTES_MAX {
        return weak("a password has 8 to 128 characters, at most 512 bytes");
    }
    if COMMON.contains(&password.to_lowercase().as_str()) {
        return weak("everybody tries this password first");
    }
    Ok(())
}
