//! Services that say what is on a photo, as HTTP servers: Google's, and one that speaks OpenAI's chat completions. They say
//! what the test tells them to, in its order, and remember what they were asked.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use lastbite::config::{
    Environment,
    eyes::{self, Eye},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// What the service does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    Says(Value),
    /// This status, type and body.
    Sends(u16, &'static str, String),
    /// The answer comes after a while.
    Waits(Duration, Value),
    Never,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A service.
pub(crate) struct Eyes {
    base: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Does>>,
    asked: Mutex<Vec<Asked>>,
}

impl Drop for Eyes {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Eyes {
    /// A service that does this, one after the other, and then says 500.
    pub(crate) async fn that(script: impl IntoIterator<Item = Does>) -> Self {
        let shared = Arc::new(Shared::default());
        shared.script.lock().extend(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        #[expect(clippy::disallowed_methods, reason = "a service of others runs beside the test")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, shared, serving }
    }

    pub(crate) fn then(&self, does: Does) {
        self.shared.script.lock().push_back(does);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().clone()
    }

    /// As a server's setting names it, with a second of patience.
    pub(crate) fn as_openai(&self) -> Eye {
        self.eye(&json!({ "kind": "openai", "model": "sees-1", "key": "openai-key" }))
    }

    /// The same with more patience.
    pub(crate) fn as_patient_openai(&self) -> Eye {
        self.eye(&json!({ "kind": "openai", "model": "sees-1", "timeout_s": 10 }))
    }

    /// As a server's setting names it, with a second of patience.
    pub(crate) fn as_google(&self) -> Eye {
        self.eye(&json!({ "kind": "google", "key": "google-key" }))
    }

    fn eye(&self, entry: &Value) -> Eye {
        let mut entry = entry.clone();
        entry["base"] = json!(self.base);
        if entry["timeout_s"].is_null() {
            entry["timeout_s"] = json!(1);
        }
        eyes::parse(&json!([entry]).to_string(), Environment::Development).unwrap().remove(0)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice(&body).unwrap();
    shared.asked.lock().push(Asked { path: uri.path().to_owned(), headers, body });
    let does = shared.script.lock().pop_front();
    match does {
        Some(Does::Says(json)) => axum::Json(json).into_response(),
        Some(Does::Sends(status, content_type, body)) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
        }
        Some(Does::Waits(while_, json)) => {
            tokio::time::sleep(while_).await;
            axum::Json(json).into_response()
        }
        Some(Does::Never) => std::future::pending().await,
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An answer of a model: these foods with a range of grams and a confidence.
pub(crate) fn foods(foods: &[(&str, u32, u32, f64)]) -> Value {
    let foods: Vec<_> = foods
        .iter()
        .map(|(name, low, high, confidence)| {
            json!({ "name": name, "grams_low": low, "grams_high": high, "confidence": confidence })
        })
        .collect();
    content(&json!({ "foods": foods }).to_string())
}

/// An answer of a model, word for word.
pub(crate) fn content(content: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "sees-1",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content, "refusal": null },
                      "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
    })
}
