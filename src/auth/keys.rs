//! The keys that sign and check access tokens.
//!
//! A key follows from the server's one secret and an id in `signing_keys`, so rotating is adding a row, and the table
//! gives no key away. A new key is known for a while before it signs, and an old one until its last token has ended.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use lastbite_protocol::{SessionId, UserId};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{Caller, unauthorized};
use crate::{error::ApiError, limits};

const ISSUER: &str = "lastbite";
const AUDIENCE: &str = "lastbite";
const KIND: &str = "at+jwt";

/// The server's secret: 32 bytes, from which every key of it follows.
#[derive(Clone)]
pub struct SigningSeed([u8; 32]);

impl std::fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl SigningSeed {
    /// One that is made once and kept in a file that nobody else reads.
    ///
    /// # Errors
    /// The file holds something else, or cannot be made.
    pub fn kept_in(file: &Path) -> anyhow::Result<Self> {
        if let Ok(kept) = fs::read_to_string(file) {
            return Self::parse(&kept).map_err(|fault| anyhow::anyhow!("{} {fault}", file.display()));
        }
        let seed = Self::random();
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        new.write_all(seed.to_base64().as_bytes())?;
        Ok(seed)
    }

    /// Reads base64.
    ///
    /// # Errors
    /// It is not 32 bytes of base64, or nobody can have drawn it by chance.
    pub fn parse(base64: &str) -> Result<Self, &'static str> {
        let bytes = STANDARD.decode(base64.trim()).map_err(|_| "is not base64")?;
        let seed: [u8; 32] = bytes.try_into().map_err(|_| "is not 32 bytes")?;
        let mut distinct = seed;
        distinct.sort_unstable();
        // 32 random bytes have about 30 distinct values; fewer than 16 do not happen by chance.
        if distinct.chunk_by(|a, b| a == b).count() < 16 {
            return Err("is not random");
        }
        Ok(Self(seed))
    }

    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// As [`SigningSeed::parse`] reads it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// A secret of its own for one purpose and one thing.
    #[must_use]
    pub fn derive(&self, purpose: &str, of: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, &[purpose.as_bytes(), &[0], of])
    }

    /// The private key of a row of `signing_keys`.
    #[must_use]
    pub fn signing_key(&self, id: Uuid) -> SigningKey {
        SigningKey::from_bytes(&self.derive("access token", id.as_bytes()))
    }
}

/// HMAC-SHA256 (RFC 2104) of the parts, one after the other.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length will do, so there is no error.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of every length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A row of `signing_keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRow {
    pub id: Uuid,
    pub made_at: DateTime<Utc>,
}

/// The keys in use. Clones share them.
#[derive(Clone)]
pub struct Keys(Arc<Shared>);

struct Shared {
    seed: SigningSeed,
    validation: Validation,
    /// The newest first.
    ring: RwLock<Arc<Vec<Key>>>,
}

struct Key {
    row: KeyRow,
    kid: String,
    public: [u8; 32],
    signing: EncodingKey,
    checking: DecodingKey,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.ring.read().iter().map(|key| &key.kid)).finish()
    }
}

/// What a token says. `typ` stands in the header.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Claims {
    /// Whether the times are such as we write: issued no later than it is good from, and good for no longer than ours are.
    fn has_our_times(&self) -> bool {
        (0..=self.nbf).contains(&self.iat)
            && self.exp.saturating_sub(self.iat).cast_unsigned() <= limits::ACCESS_TOKEN_LIFETIME.as_secs()
    }
}

/// A public key as RFC 8037 has it.
#[derive(Clone, Debug, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    used_for: &'static str,
    kid: String,
    x: String,
}

impl Keys {
    /// The keys of these rows, the newest first.
    ///
    /// # Errors
    /// A key cannot be encoded, which does not happen with 32 bytes.
    pub fn new(seed: SigningSeed, rows: &[KeyRow]) -> anyhow::Result<Self> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = limits::ACCESS_TOKEN_LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        let keys = Self(Arc::new(Shared { seed, validation, ring: RwLock::default() }));
        keys.take(rows)?;
        Ok(keys)
    }

    /// Reads the rows, and makes the first one.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn load(seed: SigningSeed, pool: &PgPool, wall: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut rows = rows(pool).await?;
        if rows.is_empty() {
            let mut tx = pool.begin().await?;
            // Two nodes that start together make one.
            sqlx::query!("lock table signing_keys in exclusive mode").execute(&mut *tx).await?;
            if self::rows(&mut *tx).await?.is_empty() {
                rotate(&mut *tx, wall).await?;
            }
            tx.commit().await?;
            rows = self::rows(pool).await?;
        }
        Self::new(seed, &rows)
    }

    /// Looks whether another node has rotated.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn reload(&self, pool: &PgPool) -> anyhow::Result<()> {
        self.take(&rows(pool).await?)
    }

    fn take(&self, rows: &[KeyRow]) -> anyhow::Result<()> {
        if self.0.ring.read().iter().map(|key| &key.row).eq(rows) {
            return Ok(());
        }
        let ring: Vec<_> = rows.iter().map(|row| Key::of(&self.0.seed, *row)).collect::<anyhow::Result<_>>()?;
        *self.0.ring.write() = Arc::new(ring);
        Ok(())
    }

    /// Signs a token for a user's session, good from now on the real clock.
    ///
    /// # Errors
    /// The token cannot be encoded.
    pub fn sign(&self, user: UserId, session: SessionId, wall: DateTime<Utc>) -> anyhow::Result<String> {
        let ring = Arc::clone(&self.0.ring.read());
        // The newest that every node has heard of; the first ever signs at once.
        let spread = TimeDelta::from_std(limits::SIGNING_KEY_SPREAD)?;
        let known = ring.iter().find(|key| key.row.made_at + spread <= wall);
        let key = known.or_else(|| ring.last()).ok_or_else(|| anyhow::anyhow!("there is no signing key"))?;
        let issued_s = wall.timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: session,
            jti: Uuid::now_v7(),
            iat: issued_s,
            nbf: issued_s,
            exp: issued_s + i64::try_from(limits::ACCESS_TOKEN_LIFETIME.as_secs())?,
        };
        let header = Header { kid: Some(key.kid.clone()), typ: Some(KIND.to_owned()), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, &claims, &key.signing)?)
    }

    /// Reads a token.
    ///
    /// # Errors
    /// 401 `token_expired` when it was good once, `token_invalid` otherwise.
    pub fn check(&self, token: &str) -> Result<Caller, ApiError> {
        let invalid = || unauthorized("token_invalid", "the access token is not one of ours");
        if token.len() > limits::ACCESS_TOKEN_BYTES_MAX {
            return Err(invalid());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let ring = Arc::clone(&self.0.ring.read());
        let key = ring.iter().find(|key| header.kid.as_deref() == Some(&key.kid)).ok_or_else(invalid)?;
        if header.typ.as_deref() != Some(KIND) {
            return Err(invalid());
        }
        match jsonwebtoken::decode::<Claims>(token, &key.checking, &self.0.validation) {
            Ok(token) if !token.claims.has_our_times() => Err(invalid()),
            Ok(token) => Ok(Caller {
                user: token.claims.sub,
                session: token.claims.sid,
                expires_at: DateTime::from_timestamp(token.claims.exp, 0).unwrap_or_default(),
            }),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                Err(unauthorized("token_expired", "the access token has expired; refresh it, or sign in again"))
            }
            Err(_) => Err(invalid()),
        }
    }

    /// The public keys, for whoever checks our tokens; none of them is a secret.
    #[must_use]
    pub fn public(&self) -> Vec<PublicKey> {
        let public = |key: &Key| PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            used_for: "sig",
            kid: key.kid.clone(),
            x: URL_SAFE_NO_PAD.encode(key.public),
        };
        self.0.ring.read().iter().map(public).collect()
    }

    /// A secret that only nodes of this server know, for one purpose.
    #[must_use]
    pub fn secret(&self, purpose: &str, of: &[u8]) -> [u8; 32] {
        self.0.seed.derive(purpose, of)
    }
}

impl Key {
    fn of(seed: &SigningSeed, row: KeyRow) -> anyhow::Result<Self> {
        let key = seed.signing_key(row.id);
        let public = key.verifying_key().to_bytes();
        Ok(Self {
            row,
            kid: kid_of(&public),
            public,
            signing: EncodingKey::from_ed_der(key.to_pkcs8_der()?.as_bytes()),
            checking: DecodingKey::from_ed_der(&public),
        })
    }
}

/// The name of a key follows from its public half.
#[must_use]
pub fn kid_of(public: &[u8; 32]) -> String {
    Sha256::digest(public)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds a key; it signs after [`limits::SIGNING_KEY_SPREAD`]. Keys are forgotten whose last token has ended. Answers its id.
///
/// # Errors
/// Postgres is away.
pub async fn rotate(db: impl PgExecutor<'_>, wall: DateTime<Utc>) -> Result<Uuid, sqlx::Error> {
    let id = Uuid::now_v7();
    // One that has been followed for longer than any of its tokens lives.
    sqlx::query!(
        "with added as (insert into signing_keys (id, made_at) values ($1, $2))
         delete from signing_keys k
         where exists (select from signing_keys next where next.made_at > k.made_at and next.made_at < $3)",
        id,
        wall,
        wall - limits::SIGNING_KEY_OUTLIVES
    )
    .execute(db)
    .await?;
    Ok(id)
}

async fn rows(db: impl PgExecutor<'_>) -> Result<Vec<KeyRow>, sqlx::Error> {
    sqlx::query_as!(KeyRow, "select id, made_at from signing_keys order by made_at desc, id desc").fetch_all(db).await
}
