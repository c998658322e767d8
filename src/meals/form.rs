//! Forms with a photo: multipart bodies with these parts, each once, and no others.

use axum::{
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    http::StatusCode,
};
use bytes::Bytes;

use super::photo::PHOTO_BYTES_MAX;
use crate::{
    body,
    error::{ApiError, ApiResult},
    limits,
};

/// Reads a form within its bounds: these parts, in this order.
pub(super) async fn read<const N: usize>(request: Request, names: [&str; N]) -> ApiResult<[Bytes; N]> {
    if !body::is(&request, "multipart/form-data") {
        let detail = "the body is multipart/form-data";
        return Err(ApiError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail));
    }
    let bytes_max = PHOTO_BYTES_MAX + limits::JSON_BYTES_MAX + limits::HEADER_BYTES_MAX;
    let (head, body) = request.into_parts();
    let whole = body::read(body, bytes_max, limits::BODY_TIMEOUT).await?;
    let mut request = Request::from_parts(head, axum::body::Body::from(whole));
    // The bound above holds; the extractor's own of 2 MB would refuse the photo of any good phone.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad_form(&error.body_text()))?;
    let mut parts = [const { None }; N];
    while let Some(field) = form.next_field().await.map_err(|error| bad_form(&error.body_text()))? {
        let which = names.iter().position(|name| field.name() == Some(name));
        let Some(slot) = which.and_then(|which| parts.get_mut(which)) else {
            let names = names.map(|name| format!("`{name}`")).join(" and ");
            return Err(bad_form(&format!("the form has {names} and no other part")));
        };
        let bytes = field.bytes().await.map_err(|error| bad_form(&error.body_text()))?;
        if slot.replace(bytes).is_some() {
            return Err(bad_form("each part comes once"));
        }
    }
    for (part, name) in parts.iter().zip(names) {
        if part.is_none() {
            return Err(bad_form(&format!("the part `{name}` is missing")));
        }
    }
    Ok(parts.map(Option::unwrap_or_default))
}

fn bad_form(detail: &str) -> ApiError {
    ApiError::refused(StatusCode::BAD_REQUEST, "multipart_invalid", detail)
}
