//! What a user has agreed to, by purpose and version. Without a consent to health data nothing of that kind is stored, and
//! what was is gone when it is taken back.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use lastbite_protocol::{
    UserId,
    rest::{Consent, Purpose},
};
use sqlx::PgPool;

use crate::{
    db::{self, Tx},
    error::{ApiError, ApiResult},
};

/// The version in force of what is agreed to.
pub(super) const fn version(purpose: Purpose) -> u16 {
    match purpose {
        Purpose::Service | Purpose::HealthData | Purpose::PublicDisplay | Purpose::AiProcessing => 1,
    }
}

/// Writes down what was agreed to or taken back.
pub(super) async fn write(
    tx: &mut Tx,
    user: UserId,
    purpose: Purpose,
    given: bool,
    wall: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into consents (user_id, purpose, at, version, given) values ($1, $2, $3, $4, $5)",
        user.0,
        purpose.as_str(),
        wall,
        version(purpose).cast_signed(),
        given
    )
    .execute(&mut **tx)
    .await?;
    if purpose == Purpose::HealthData && !given {
        sqlx::query!("delete from bodies where user_id = $1", user.0).execute(&mut **tx).await?;
        sqlx::query!("delete from weights where user_id = $1", user.0).execute(&mut **tx).await?;
    }
    Ok(())
}

/// What holds now, for every purpose that was ever asked about.
pub(super) async fn list(pool: &PgPool, user: UserId) -> Result<Vec<Consent>, sqlx::Error> {
    let rows = sqlx::query!(
        "select distinct on (purpose) purpose, version, given, at from consents where user_id = $1
         order by purpose, at desc",
        user.0
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let purpose = db::parsed(&row.purpose)?;
            Ok(Consent { purpose, version: row.version.cast_unsigned(), given: row.given, at: row.at })
        })
        .collect()
}

/// All that was ever agreed to or taken back, in order.
pub(super) async fn history(pool: &PgPool, user: UserId) -> Result<Vec<Consent>, sqlx::Error> {
    let rows = sqlx::query!("select purpose, version, given, at from consents where user_id = $1 order by at", user.0)
        .fetch_all(pool)
        .await?;
    rows.into_iter()
        .map(|row| {
            let purpose = db::parsed(&row.purpose)?;
            Ok(Consent { purpose, version: row.version.cast_unsigned(), given: row.given, at: row.at })
        })
        .collect()
}

/// Refuses what needs a consent that is not there, in the transaction that would store something: a consent that is taken
/// back at the same moment waits, and deletes it.
///
/// # Errors
/// 403 `consent_required`.
pub(super) async fn check(tx: &mut Tx, user: UserId, purpose: Purpose) -> ApiResult<()> {
    let given = sqlx::query_scalar!(
        "select given from consents where user_id = $1 and purpose = $2 and version >= $3 order by at desc limit 1",
        user.0,
        purpose.as_str(),
        version(purpose).cast_signed()
    )
    .fetch_optional(&mut **tx)
    .await?;
    if given != Some(true) {
        let detail = format!("this needs the consent {} in version {}", purpose.as_str(), version(purpose));
        return Err(ApiError::refused(StatusCode::FORBIDDEN, "consent_required", detail));
    }
    Ok(())
}
