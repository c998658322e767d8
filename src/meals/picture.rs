//! Pictures on their way between a request and the store: cleaned, kept, shown and forgotten, whatever row names them.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;

use super::photo::PhotoError;
use crate::{
    App,
    error::{ApiError, ApiResult},
    media::{MediaError, Size, StoredPhoto},
};

/// The sizes a picture is kept in.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SizeName {
    Large,
    Small,
}

/// A JPEG without metadata.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes the answer for the documents")]
pub(crate) struct Jpeg(Bytes);

/// Cleans a picture and stores its two sizes, before any transaction.
pub(crate) async fn keep(app: &App, original: Bytes) -> ApiResult<StoredPhoto> {
    let clean = app.photos.clean(original).await.map_err(photo_error)?;
    let (width_px, height_px) = (clean.width_px, clean.height_px);
    let key = app.media.put(clean.large, clean.small).await.map_err(media_error)?;
    Ok(StoredPhoto { key: key.to_string(), width_px, height_px })
}

/// Removes a picture that no row names. What cannot be removed stays behind; the log says so.
pub(crate) async fn forget(app: &App, picture: &StoredPhoto) {
    let Ok(key) = picture.key() else { return };
    if let Err(error) = app.media.delete(&key).await {
        tracing::warn!(%error, %key, "a picture that belongs to nothing stays behind");
    }
}

/// After a failure that could have come behind the commit a picture stays: better an orphan than a hole.
pub(crate) fn may_be_committed(error: &ApiError) -> bool {
    matches!(error.code(), "database_away" | "internal")
}

/// Answers with a picture, if there is one.
pub(crate) async fn show(app: &App, picture: Option<&StoredPhoto>, size: SizeName) -> ApiResult<Response> {
    let missing = || ApiError::not_found("photo");
    let key = picture.ok_or_else(missing)?.key().map_err(anyhow::Error::from)?;
    let size = match size {
        SizeName::Large => Size::Large,
        SizeName::Small => Size::Small,
    };
    let bytes = app.media.get(&key, size).await.map_err(media_error)?.ok_or_else(missing)?;
    let headers = [(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, bytes).into_response())
}

fn media_error(error: MediaError) -> ApiError {
    match error {
        MediaError::Slow => ApiError::unavailable("storage_slow", "the store of the photos does not answer in time"),
        error => ApiError::failure(error.into()),
    }
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
