//! The way to a bucket: by a client of our own, within bounds of time and tries, and tried out before anything relies on it.
//!
//! A client of the library's own making would follow redirects, ask the environment for proxies and the system for
//! certificates.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpClient, HttpConnector},
    path::Path as StorePath,
    prefix::PrefixStore,
};
use secrecy::ExposeSecret;

use super::{MEDIA_WAIT_MS_MAX, Media, MediaError, PutMode, bounded};
use crate::{config::bucket::Bucket, outside};

/// A store that is there answers a connection at once; what is left of the wait goes to another try.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For an answer, and then for each of its pieces: an archive may take its time, a silence may not.
const READ_TIMEOUT: Duration = Duration::from_millis(MEDIA_WAIT_MS_MAX);
/// Stores close connections that rest; those of Amazon after some seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// After the first try, with pauses of less than a second in sum: all within [`MEDIA_WAIT_MS_MAX`].
const RETRIES_MAX: usize = 3;
const BACKOFF: BackoffConfig =
    BackoffConfig { init_backoff: Duration::from_millis(50), max_backoff: Duration::from_millis(400), base: 2.0 };
/// An archive that is being read is taken up where it broke off, until then.
const RETRY_TIMEOUT: Duration = Duration::from_secs(180);

/// What is written and removed when the server starts. It is the same for all servers, so that a crash leaves one at most.
const PROBE: &str = "probe";

impl Media {
    /// Photos in a bucket, which has to take, give and remove an object first.
    ///
    /// # Errors
    /// What keeps it from that, in one line without the key.
    pub async fn bucket(bucket: &Bucket) -> Result<Self, MediaError> {
        let store = PrefixStore::new(connect(bucket)?, bucket.prefix.as_str());
        let media = Self { store: Arc::new(store), put_mode: PutMode::Overwrite, folder: None };
        media.try_out().await.map_err(|error| MediaError::Unusable(reason(&error)))?;
        Ok(media)
    }

    async fn try_out(&self) -> Result<(), MediaError> {
        let probe = StorePath::from(PROBE);
        bounded(async { Ok(self.store.put(&probe, PROBE.into()).await?) }).await?;
        // Another server that starts may have removed it.
        for gone_is_fine in [
            bounded(async { Ok(self.store.get(&probe).await.map(drop)) }).await?,
            bounded(async { Ok(self.store.delete(&probe).await) }).await?,
        ] {
            match gone_is_fine {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn connect(bucket: &Bucket) -> Result<AmazonS3, MediaError> {
    let client = outside::client()
        .map_err(|error| MediaError::Unusable(error.to_string()))?
        // The library advises against the second: it was slower.
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build()
        .map_err(|error| MediaError::Unusable(error.to_string()))?;
    let retry = RetryConfig { backoff: BACKOFF, max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT };
    let mut store = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(bucket.access_key_id.expose_secret())
        .with_secret_access_key(bucket.secret_access_key.expose_secret())
        .with_retry(retry)
        // Not every store removes many at once, and here they go one by one.
        .with_disable_bulk_delete(true)
        .with_http_connector(Connector(client));
    if let Some(endpoint) = &bucket.endpoint {
        store = store.with_endpoint(endpoint);
    }
    Ok(store.build()?)
}

/// Lets the library use our client.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// One line for whoever starts the server; what stores answer is XML of many.
fn reason(error: &MediaError) -> String {
    let (MediaError::Away(cause) | MediaError::Store(cause)) = error else { return error.to_string() };
    let text = cause.to_string();
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = code.filter(|code| code.len() <= 64 && code.bytes().all(|letter| letter.is_ascii_alphanumeric()));
    match (cause, code) {
        (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, code) => {
            format!("it refuses the key ({})", code.unwrap_or("no reason given"))
        }
        (Error::NotFound { .. }, _) => "there is no such bucket".to_owned(),
        (_, Some(code)) => format!("it answers {code}"),
        (_, None) => {
            let mut deepest: &dyn std::error::Error = cause;
            while let Some(deeper) = deepest.source() {
                deepest = deeper;
            }
            format!("it cannot be reached: {}", deepest.to_string().lines().next().unwrap_or_default())
        }
    }
}
