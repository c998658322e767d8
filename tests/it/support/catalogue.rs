//! Open Food Facts as an HTTP server: it tells of the products that the test puts there, misbehaves as it is told to, and
//! remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use lastbite::config::products;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// What the service does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// This status, type and body.
    Sends(u16, &'static str, String),
    /// It goes elsewhere.
    Redirects(String),
    /// It answers as usual after a while.
    Waits(Duration),
    Never,
}

/// The service.
pub(crate) struct Catalogue {
    pub(crate) base: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    products: Mutex<HashMap<String, Value>>,
    /// What comes before the usual answers.
    script: Mutex<VecDeque<Does>>,
    asked: Mutex<Vec<(Uri, HeaderMap)>>,
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Catalogue {
    /// One that knows no product.
    pub(crate) async fn open() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/api/v2/product/{barcode}", get(answer)).with_state(Arc::clone(&shared));
        #[expect(clippy::disallowed_methods, reason = "a service of others runs beside the test")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, shared, serving }
    }

    /// As a server's setting names it, with little patience and no bound on calls that a test would meet.
    pub(crate) fn setting(&self) -> products::Catalogue {
        products::Catalogue {
            timeout: Duration::from_millis(500),
            calls_burst: 1_000,
            calls_per_minute: 1_000,
            ..products::Catalogue::at(&self.base)
        }
    }

    /// From now on it knows this of a product.
    pub(crate) fn knows(&self, barcode: &str, product: Value) {
        self.shared.products.lock().insert(barcode.to_owned(), product);
    }

    pub(crate) fn forgets(&self, barcode: &str) {
        self.shared.products.lock().remove(barcode);
    }

    /// Does this with the next request that nothing is said of yet.
    pub(crate) fn then(&self, does: Does) {
        self.shared.script.lock().push_back(does);
    }

    /// How often it was asked.
    pub(crate) fn calls(&self) -> usize {
        self.shared.asked.lock().len()
    }

    /// What it was asked, and how.
    pub(crate) fn asked(&self) -> Vec<(Uri, HeaderMap)> {
        self.shared.asked.lock().clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    Path(barcode): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    shared.asked.lock().push((uri, headers));
    let does = shared.script.lock().pop_front();
    match does {
        Some(Does::Sends(status, content_type, body)) => {
            return (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, content_type)], body)
                .into_response();
        }
        Some(Does::Redirects(to)) => return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Some(Does::Never) => std::future::pending().await,
        Some(Does::Waits(while_)) => tokio::time::sleep(while_).await,
        None => {}
    }
    let product = shared.products.lock().get(&barcode).cloned();
    match product {
        Some(product) => axum::Json(json!({
            "code": barcode, "status": 1, "status_verbose": "product found", "product": product,
        }))
        .into_response(),
        None => {
            let none = json!({ "code": barcode, "status": 0, "status_verbose": "product not found" });
            (StatusCode::NOT_FOUND, axum::Json(none)).into_response()
        }
    }
}
