//! Photos on their way between a request and the store: cleaned, kept, shown and forgotten, whatever row names them.
//!
//! The table `photos` has a row for each, written before its files are. One that nothing shows goes when its time is over,
//! so a crash between the files and the row that was to show them leaves nothing behind.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use lastbite_photo::PhotoError;
use lastbite_protocol::{
    UserId,
    meals::{PhotoLink, PhotoSeen},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::PgExecutor;

use crate::{
    App,
    auth::links,
    db::Tx,
    error::{ApiError, ApiResult},
    limits,
    media::{PhotoKey, Size, StoredPhoto},
};

/// What links of photos are signed for.
const LINK: &str = "photo";

/// The sizes a picture is kept in.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SizeName {
    Large,
    Small,
}

impl From<SizeName> for Size {
    fn from(name: SizeName) -> Self {
        match name {
            SizeName::Large => Self::Large,
            SizeName::Small => Self::Small,
        }
    }
}

/// A JPEG without metadata.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes the answer for the documents")]
pub(crate) struct Jpeg(Bytes);

/// A photo that was stored and that nothing shows yet.
pub(crate) struct Taken {
    pub(crate) stored: StoredPhoto,
    /// The large size.
    pub(crate) jpeg: Bytes,
}

/// Cleans a picture and stores its two sizes, before any transaction. Unless it is shown within an hour, it goes.
///
/// # Errors
/// 429 `photo_budget`, 503 `busy`, `storage_slow` and `storage_full`, and what is wrong with the picture.
pub(crate) async fn take(app: &App, owner: UserId, original: Bytes) -> ApiResult<Taken> {
    let file = original.clone();
    let hashed = app.tasks.spawn_blocking(move || Sha256::digest(&file)).await.map_err(anyhow::Error::from)?;
    let clean = app.photos.clean(original).await.map_err(photo_error)?;
    let key = PhotoKey::of(&clean.large);
    claim(app, owner, &key, hashed.as_slice(), clean.looks).await?;
    let stored =
        StoredPhoto { key: key.to_string(), width_px: clean.width_px, height_px: clean.height_px, seen_before: None };
    if let Err(error) = app.media.put(&key, clean.large.clone(), clean.small).await {
        // What may yet be written would outlive a removal; the sweep comes after it.
        if !error.may_end_well() {
            forget(app, &stored).await;
        }
        return Err(error.into());
    }
    Ok(Taken { stored, jpeg: clean.large })
}

/// Writes the row, if the user may have one more.
async fn claim(app: &App, owner: UserId, key: &PhotoKey, original: &[u8], looks: u64) -> ApiResult<()> {
    let (now, mut tx) = (app.clock.now(), app.db.api.begin().await?);
    // One at a time, or many at once would all be the fortieth.
    let there = sqlx::query!("select from users where id = $1 and deleted_at is null for no key update", owner.0)
        .fetch_optional(&mut *tx)
        .await?;
    if there.is_none() {
        return Err(ApiError::account_gone());
    }
    let today = sqlx::query_scalar!(
        r#"select count(*) as "count!" from photos where user_id = $1 and at > $2"#,
        owner.0,
        now - TimeDelta::days(1)
    )
    .fetch_one(&mut *tx)
    .await?;
    if today >= limits::PHOTOS_PER_USER_DAY_MAX {
        let detail = format!("at most {} photos within 24 hours", limits::PHOTOS_PER_USER_DAY_MAX);
        return Err(ApiError::refused(StatusCode::TOO_MANY_REQUESTS, "photo_budget", detail));
    }
    sqlx::query!(
        "insert into photos (key, user_id, at, goes_at, original, looks) values ($1, $2, $3, $4, $5, $6)",
        key.as_str(),
        owner.0,
        now,
        app.clock.wall() + limits::PHOTO_UNSHOWN,
        original,
        looks.cast_signed()
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Something shows the photo from now on, in the transaction that names it.
///
/// # Errors
/// 503 `photo_gone`: it took so long that the photo went.
pub(crate) async fn show_from_now(tx: &mut Tx, photo: &StoredPhoto, wall: DateTime<Utc>) -> ApiResult<()> {
    let kept = sqlx::query!(
        "update photos set goes_at = null where key = $1 and (goes_at is null or goes_at > $2)",
        photo.key,
        wall
    )
    .execute(&mut **tx)
    .await?;
    if kept.rows_affected() == 0 {
        return Err(ApiError::unavailable("photo_gone", "the photo was not kept long enough; send it again"));
    }
    Ok(())
}

/// Nothing shows the photo any more, from `at`.
pub(crate) async fn let_go(db: impl PgExecutor<'_>, photo: &StoredPhoto, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("update photos set goes_at = $2 where key = $1", photo.key, at).execute(db).await?;
    Ok(())
}

/// Whether the same picture, or one that looks the same, is shown already: by this user, or by somebody who plays in a
/// challenge with them.
pub(crate) async fn seen_before(
    tx: &mut Tx,
    owner: UserId,
    photo: &StoredPhoto,
) -> Result<Option<PhotoSeen>, sqlx::Error> {
    let seen = sqlx::query!(
        r#"with asked as (select key, original, looks, bands from photos where key = $1),
           telling as (
               -- A part that is all one or the other is that of a plain wall, which many photos have.
               select array(select band from unnest(bands) as band where band & 65535 not in (0, 65535)) as bands from asked
           ),
           alike as (
               select p.user_id from photos p, asked a where p.original = a.original and p.key <> a.key and p.goes_at is null
               union all
               select p.user_id from photos p, asked a, telling t
               where p.bands && t.bands and p.key <> a.key and p.goes_at is null
                 and bit_count((p.looks # a.looks)::bit(64)) <= 3
                 and bit_count(a.looks::bit(64)) between $3 and 64 - $3
           )
           select exists (select from alike where user_id = $2) as "own!",
                  exists (
                      select from alike
                      join standings theirs on theirs.user_id = alike.user_id
                      join standings ours on ours.challenge_id = theirs.challenge_id and ours.user_id = $2
                      join challenges c on c.id = ours.challenge_id
                      where alike.user_id <> $2 and c.status in ('open', 'running')
                  ) as "another!""#,
        photo.key,
        owner.0,
        limits::PHOTO_LOOKS_BITS_MIN
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match seen {
        seen if seen.another => Some(PhotoSeen::ByAnother),
        seen if seen.own => Some(PhotoSeen::ByYou),
        _ => None,
    })
}

/// Removes a picture that nothing shows. What cannot be removed now goes later; the row names it until then.
pub(crate) async fn forget(app: &App, picture: &StoredPhoto) {
    if let Err(error) = remove(app, &picture.key).await {
        tracing::warn!(
            key = picture.key,
            "a picture that nothing shows was not removed; trying again later: {error:#}"
        );
    }
}

/// The same for one whose time is over, unless it is shown after all. From the moment that this says so nobody can show it any
/// more, however much the clocks of two nodes differ.
async fn remove_over(app: &App, key: &str, over: DateTime<Utc>) -> anyhow::Result<()> {
    let long_ago = DateTime::<Utc>::UNIX_EPOCH;
    let goes = sqlx::query!(
        "update photos set goes_at = $3 where key = $1 and goes_at <= $2 returning key",
        key,
        over,
        long_ago
    )
    .fetch_optional(&app.db.jobs)
    .await?;
    if goes.is_some() { remove(app, key).await } else { Ok(()) }
}

/// The files go before the row.
async fn remove(app: &App, key: &str) -> anyhow::Result<()> {
    app.media.delete(&key.parse()?).await?;
    sqlx::query!("delete from photos where key = $1", key).execute(&app.db.jobs).await?;
    Ok(())
}

/// Removes the pictures whose time is over.
///
/// # Errors
/// Postgres is away.
pub(crate) async fn sweep(app: &App) -> anyhow::Result<()> {
    // Whoever was about to show one has had a minute to commit.
    let over = app.clock.wall() - TimeDelta::minutes(1);
    let mut after: Option<(DateTime<Utc>, String)> = None;
    loop {
        let (at, key) = after.clone().unzip();
        let found = sqlx::query!(
            r#"select key, goes_at as "goes_at!" from photos
               where goes_at <= $1 and ($2::timestamptz is null or (goes_at, key) > ($2, $3)) order by goes_at, key limit $4"#,
            over,
            at,
            key,
            limits::PHOTOS_SWEPT_AT_ONCE
        )
        .fetch_all(&app.db.jobs)
        .await?;
        let Some(last) = found.last() else { return Ok(()) };
        after = Some((last.goes_at, last.key.clone()));
        for photo in found {
            // One that does not go now must not keep the others.
            if let Err(error) = remove_over(app, &photo.key, over).await {
                tracing::warn!(key = photo.key, "a photo was not removed; trying again later: {error:#}");
            }
        }
    }
}

/// Removes all pictures of a user, those that are shown, too.
///
/// # Errors
/// Postgres or the store is away; what was not removed can be tried again.
pub(crate) async fn erase(app: &App, user: UserId) -> anyhow::Result<()> {
    let wall = app.clock.wall();
    loop {
        let found = sqlx::query!(
            r#"select key, goes_at is null as "shown!" from photos where user_id = $1 and (goes_at is null or goes_at > $2)
               limit $3"#,
            user.0,
            wall,
            limits::PHOTOS_SWEPT_AT_ONCE
        )
        .fetch_all(&app.db.jobs)
        .await?;
        if found.is_empty() {
            return Ok(());
        }
        for photo in found {
            if photo.shown {
                remove(app, &photo.key).await?;
            } else {
                // Its files may be being written at this moment: it is looked at once more by the sweep.
                app.media.delete(&photo.key.parse()?).await?;
                sqlx::query!("update photos set goes_at = $2 where key = $1", photo.key, wall)
                    .execute(&app.db.jobs)
                    .await?;
            }
        }
    }
}

/// After a failure that could have come behind the commit a picture stays: should nothing show it, it goes by itself.
pub(crate) fn may_be_committed(error: &ApiError) -> bool {
    matches!(error.code(), "database_away" | "internal")
}

/// Answers with a picture, if there is one.
pub(crate) async fn show(app: &App, picture: Option<&StoredPhoto>, size: SizeName) -> ApiResult<Response> {
    let missing = || ApiError::not_found("photo");
    let key = picture.ok_or_else(missing)?.key().map_err(anyhow::Error::from)?;
    let bytes = read(app, &key, size.into()).await?;
    Ok((jpeg_headers(HeaderValue::from_static("no-store")), bytes).into_response())
}

/// A link to a picture that is good for a few minutes without a token, as an `<img>` needs it.
pub(crate) fn link(app: &App, picture: &StoredPhoto, size: SizeName) -> PhotoLink {
    let expires_at = app.clock.wall() + limits::PHOTO_LINK_LIFETIME;
    let size = if matches!(size, SizeName::Large) { "l" } else { "s" };
    let named = format!("{size}{}", picture.key);
    let token = links::sign(&app.auth.keys, LINK, named.as_bytes(), expires_at);
    PhotoLink { url: format!("/photos/{token}"), expires_at }
}

/// Answers with the picture that a link names.
///
/// # Errors
/// 404 when it is no link of ours, or no longer good, or the picture is gone.
pub(crate) async fn follow_link(app: &App, token: &str) -> ApiResult<Response> {
    let missing = || ApiError::not_found("photo");
    let wall = app.clock.wall();
    let (named, until) = links::check(&app.auth.keys, LINK, token, wall).ok_or_else(missing)?;
    let named = String::from_utf8(named).map_err(anyhow::Error::from)?;
    let (size, key) = match named.split_at_checked(1) {
        Some(("l", key)) => (Size::Large, key),
        Some(("s", key)) => (Size::Small, key),
        _ => return Err(missing()),
    };
    let bytes = read(app, &key.parse().map_err(anyhow::Error::from)?, size).await?;
    let cache = format!("private, max-age={}, immutable", (until - wall).num_seconds().max(0));
    Ok((jpeg_headers(HeaderValue::try_from(cache).map_err(anyhow::Error::from)?), bytes).into_response())
}

async fn read(app: &App, key: &PhotoKey, size: Size) -> ApiResult<Bytes> {
    app.media.get(key, size).await?.ok_or_else(|| ApiError::not_found("photo"))
}

fn jpeg_headers(cache: HeaderValue) -> [(header::HeaderName, HeaderValue); 2] {
    [(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")), (header::CACHE_CONTROL, cache)]
}

fn photo_error(error: PhotoError) -> ApiError {
    match error {
        PhotoError::Busy => ApiError::unavailable("busy", "too many photos come in at this moment"),
        PhotoError::Bad(bad) => {
            let status = match bad.code() {
                "photo_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
                "photo_type_unknown" | "photo_type_heic" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            ApiError::refused(status, bad.code(), bad.to_string())
        }
    }
}
