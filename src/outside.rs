//! Calls to services of others: over TLS, within bounds of time and size, without following redirects.
//!
//! What comes back is input like any other; who calls reads it as such.

use std::{pin::Pin, sync::Arc, time::Duration};

use axum::http::{Response, StatusCode};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::limits;

/// The way to them. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    client: reqwest::Client,
    answer_bytes_max: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("not reached: {0}")]
    Broken(#[from] reqwest::Error),
    #[error("answered too much")]
    TooLarge,
    #[error("answered {0}")]
    Failing(StatusCode),
    #[error("the request cannot be written: {0}")]
    Unwritable(#[from] axum::http::Error),
}

impl Outside {
    /// # Errors
    /// The client cannot be made.
    pub(crate) fn new(timeout: Duration, answer_bytes_max: usize) -> anyhow::Result<Self> {
        let client = client()?.connect_timeout(limits::PROVIDER_CONNECT_TIMEOUT).timeout(timeout).build()?;
        Ok(Self { client, answer_bytes_max })
    }

    /// Asks, and reads the whole answer. One that says that the other side has a fault, or too much to do, is none.
    pub(crate) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let mut answer = self.client.execute(request.try_into()?).await?;
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(NoAnswer::Failing(status));
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            if body.len() + piece.len() > self.answer_bytes_max {
                return Err(NoAnswer::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        let mut whole = Response::new(body);
        *whole.status_mut() = status;
        *whole.headers_mut() = answer.headers().clone();
        Ok(whole)
    }
}

/// A client that knows whom to trust, asks who was named and nobody else, and has no bounds of time yet.
pub(crate) fn client() -> Result<reqwest::ClientBuilder, rustls::Error> {
    // The certificates come with the binary: images of the server have none of their own.
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().redirect(reqwest::redirect::Policy::none()))
}

/// So that the library asks in the same way.
impl<'c> AsyncHttpClient<'c> for Outside {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}
