//! The picture a user shows of themselves: one at most, for who may look the profile up.

use bytes::Bytes;
use lastbite_protocol::{UserId, rest::Photo};
use sqlx::{PgPool, types::Json};

use super::store;
use crate::{
    App,
    auth::Caller,
    error::{ApiError, ApiResult},
    media::StoredPhoto,
    photos,
};

/// Where a user's picture can be fetched.
pub(super) fn paths(user: UserId, stored: &StoredPhoto) -> Photo {
    Photo {
        large: format!("/api/v1/users/{user}/picture/large"),
        small: format!("/api/v1/users/{user}/picture/small"),
        width_px: stored.width_px,
        height_px: stored.height_px,
        seen_before: None,
    }
}

/// Cleans a picture and shows it from now on, instead of the one before.
pub(super) async fn set(app: &App, caller: Caller, original: Bytes) -> ApiResult<Photo> {
    let stored = photos::take(app, caller.user, original).await?.stored;
    match replace(app, caller.user, Some(&stored)).await {
        Ok(before) => {
            if let Some(before) = before {
                photos::forget(app, &before).await;
            }
            Ok(paths(caller.user, &stored))
        }
        Err(error) => {
            if !photos::may_be_committed(&error) {
                photos::forget(app, &stored).await;
            }
            Err(error)
        }
    }
}

/// Shows no picture any more. Answers whether there was one.
pub(super) async fn remove(app: &App, caller: Caller) -> ApiResult<bool> {
    let before = replace(app, caller.user, None).await?;
    if let Some(before) = &before {
        photos::forget(app, before).await;
    }
    Ok(before.is_some())
}

/// Names another picture in the user's row. Answers the one before, whose files are to go after the commit.
async fn replace(app: &App, user: UserId, stored: Option<&StoredPhoto>) -> ApiResult<Option<StoredPhoto>> {
    let mut tx = app.db.auth.begin().await?;
    // The lock makes each picture the one before of just one other, so that none stays behind.
    if !store::lock(&mut tx, user).await? {
        return Err(ApiError::not_found("account"));
    }
    let before =
        sqlx::query_scalar!(r#"select picture as "picture: Json<StoredPhoto>" from users where id = $1"#, user.0)
            .fetch_one(&mut *tx)
            .await?;
    sqlx::query!("update users set picture = $2 where id = $1", user.0, stored.map(Json) as _)
        .execute(&mut *tx)
        .await?;
    let (before, wall) = (before.map(|before| before.0), app.clock.wall());
    if let Some(stored) = stored {
        photos::show_from_now(&mut tx, stored, wall).await?;
    }
    if let Some(before) = &before {
        photos::let_go(&mut *tx, before, wall).await?;
    }
    tx.commit().await?;
    Ok(before)
}

/// The picture of a user, if this viewer may see it.
pub(super) async fn load(pool: &PgPool, viewer: UserId, user: UserId) -> Result<Option<StoredPhoto>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select picture as "picture: Json<StoredPhoto>" from users
           where id = $1 and (id = $2 or (visibility = 'everyone' and blocked_at is null))"#,
        user.0,
        viewer.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(found.flatten().map(|picture| picture.0))
}
