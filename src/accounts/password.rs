//! Passwords: Argon2id, in threads of their own and few at once, so that a flood of logins never slows the game.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{
    error::{ApiError, ApiResult},
    limits,
};

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
    running: Arc<Semaphore>,
    /// Those running and those waiting.
    admitted: Arc<Semaphore>,
    /// Checked when there is no such account, so that the answer takes the same time.
    nobody: Arc<str>,
}

impl Hasher {
    /// A hasher.
    ///
    /// # Errors
    /// Hashing does not work at all.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            running: Arc::new(Semaphore::new(limits::HASHINGS_AT_ONCE_MAX)),
            admitted: Arc::new(Semaphore::new(limits::HASHINGS_AT_ONCE_MAX + limits::HASHINGS_WAITING_MAX)),
            nobody: hash(b"nobody has this password")?.into(),
        })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// 503 `busy` when too many wait.
    pub async fn hash(&self, password: String) -> ApiResult<String> {
        Ok(self.run(move || hash(password.as_bytes())).await??)
    }

    /// Whether a password fits; takes as long without an account.
    ///
    /// # Errors
    /// 503 `busy` when too many wait.
    pub async fn fits(&self, password: String, stored: Option<String>) -> ApiResult<bool> {
        let (exists, stored) = match stored {
            Some(stored) => (true, stored),
            None => (false, self.nobody.to_string()),
        };
        let fits = self
            .run(move || -> anyhow::Result<bool> {
                let stored = PasswordHash::new(&stored).map_err(|error| anyhow::anyhow!("stored hash: {error}"))?;
                Ok(argon2()?.verify_password(password.as_bytes(), &stored).is_ok())
            })
            .await??;
        Ok(exists && fits)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> ApiResult<T> {
        let Ok(admitted) = Arc::clone(&self.admitted).try_acquire_owned() else {
            return Err(ApiError::unavailable("busy", "too many are signing in at this moment"));
        };
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(anyhow::Error::from)?;
        let done = tokio::task::spawn_blocking(move || {
            let _places = (admitted, running);
            work()
        });
        Ok(done.await.map_err(anyhow::Error::from)?)
    }
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(limits::ARGON2_MEMORY_KIB, limits::ARGON2_PASSES, limits::ARGON2_LANES, None)
        .map_err(|error| anyhow::anyhow!("argon2 parameters: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> anyhow::Result<String> {
    let hash = argon2()?.hash_password(password).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

/// Refuses a password that is too short, too long or known to everybody.
///
/// # Errors
/// 422 `password_weak`.
pub(super) fn check(password: &str) -> ApiResult<()> {
    let weak = |detail: &str| Err(ApiError::invalid("password_weak", "password", detail));
    let chars = password.chars().count();
    if !limits::PASSWORD_CHARS.contains(&chars) || password.len() > limits::PASSWORD_BYTES_MAX {
        return weak("a password has 8 to 128 characters, at most 512 bytes");
    }
    if COMMON.contains(&password.to_lowercase().as_str()) {
        return weak("everybody tries this password first");
    }
    Ok(())
}
