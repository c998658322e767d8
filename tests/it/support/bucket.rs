//! A store that speaks S3, as an HTTP server that checks signatures and keeps objects in a folder. It can also fall silent,
//! fail, and send elsewhere, and remembers what it was asked.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use lastbite::config::bucket::Bucket;
use object_store::{
    ClientOptions, ObjectStore,
    aws::{AmazonS3, AmazonS3Builder},
};
use parking_lot::Mutex;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;

use super::postgres::tempfile::Folder;

const NAME: &str = "lastbite-media";
const PREFIX: &str = "of/lastbite";
const REGION: &str = "ap-northeast-2";
const KEY_ID: &str = "lastbite-key";
/// Not to be found in any log.
pub(crate) const SECRET: &str = "a-secret-that-nobody-sees";

/// What the store does with requests.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    Serve,
    Nothing,
    /// 500 to the requests whose line has these words, so many times.
    Fail(&'static str, usize),
    SendElsewhere(SocketAddr),
}

/// A store with one bucket, which is empty.
pub(crate) struct Store {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    folder: Folder,
    serving: JoinHandle<()>,
}

struct Shared {
    service: S3Service,
    does: Mutex<Does>,
    asked: Mutex<Vec<String>>,
}

impl Drop for Store {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Store {
    pub(crate) async fn open() -> Self {
        let folder = Folder::new("lastbite-s3");
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = service.build();
        let shared = Arc::new(Shared { service, does: Mutex::new(Does::Serve), asked: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        #[expect(clippy::disallowed_methods, reason = "a service of others runs beside the test")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, folder, serving }
    }

    pub(crate) fn does(&self, what: Does) {
        *self.shared.does.lock() = what;
    }

    /// The lines of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().clone()
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bucket, as a server's settings name it.
    pub(crate) fn bucket(&self) -> Bucket {
        Bucket {
            name: NAME.to_owned(),
            prefix: PREFIX.to_owned(),
            endpoint: Some(self.endpoint()),
            region: REGION.to_owned(),
            access_key_id: KEY_ID.to_owned().into(),
            secret_access_key: SECRET.to_owned().into(),
        }
    }

    /// The same as settings.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let bucket = self.bucket();
        vec![
            ("LASTBITE_MEDIA", format!("s3://{NAME}/{PREFIX}")),
            ("LASTBITE_S3_ENDPOINT", self.endpoint()),
            ("LASTBITE_S3_REGION", bucket.region),
            ("LASTBITE_S3_ACCESS_KEY_ID", bucket.access_key_id.expose_secret().to_owned()),
            ("LASTBITE_S3_SECRET_ACCESS_KEY", bucket.secret_access_key.expose_secret().to_owned()),
        ]
    }

    /// The names of all objects in the bucket, as the store tells them to a client that is not the server's.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.client().list(None).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
        names.sort_unstable();
        names
    }

    /// How many parts of unfinished uploads the store keeps.
    pub(crate) fn parts(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".part-")).count()
    }

    fn client(&self) -> AmazonS3 {
        super::api::install_tls();
        let options = ClientOptions::new().with_allow_http(true);
        AmazonS3Builder::new()
            .with_client_options(options.with_config(object_store::ClientConfigKey::NoSystemCertificates, "true"))
            .with_endpoint(self.endpoint())
            .with_bucket_name(NAME)
            .with_region(REGION)
            .with_access_key_id(KEY_ID)
            .with_secret_access_key(SECRET)
            .build()
            .unwrap()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    shared.asked.lock().push(line.clone());
    let fails = match &mut *shared.does.lock() {
        Does::Fail(words, times) if *times > 0 && line.contains(*words) => {
            *times -= 1;
            true
        }
        _ => false,
    };
    if fails {
        return (StatusCode::INTERNAL_SERVER_ERROR, "<Error><Code>InternalError</Code></Error>").into_response();
    }
    // Real ones make no bucket by themselves.
    if !request.uri().path().starts_with(&format!("/{NAME}")) {
        return (StatusCode::NOT_FOUND, "<Error><Code>NoSuchBucket</Code></Error>").into_response();
    }
    let does = shared.does.lock().clone();
    match does {
        Does::Nothing => std::future::pending().await,
        Does::SendElsewhere(address) => {
            let there = format!("http://{address}{}", request.uri());
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, there)]).into_response()
        }
        Does::Serve | Does::Fail(..) => {
            let answer = tower::Service::call(&mut shared.service.clone(), request).await.unwrap();
            answer.map(Body::new).into_response()
        }
    }
}
