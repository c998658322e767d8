//! Photos on their way in, forms and bodies that are not what they should be, and what is left on the disk.

use std::{fs, net::SocketAddr, path::Path};

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderName},
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Answer, PATIENCE, Player};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A lunch at noon of the day on which every world opens.
pub(crate) fn lunch_today() -> Value {
    json!({
        "kind": "lunch",
        "eaten_at": "2026-03-01T02:30:00Z",
        "zone": "Asia/Seoul",
        "note": "비빔밥",
        "amounts": { "energy_kcal": 700 },
    })
}

/// The same with one field replaced, or added.
pub(crate) fn lunch_with(field: &str, value: &Value) -> Value {
    let mut meal = lunch_today();
    meal[field] = value.clone();
    meal
}

/// The form of a meal with a photo.
pub(crate) fn form(meal: &Value, photo: Vec<u8>) -> Form {
    Form::new().text("meal", meal.to_string()).part("photo", Part::bytes(photo).file_name("dinner.jpg"))
}

/// What stands between the parts of a form that is written by hand.
pub(crate) const BOUNDARY: &str = "----lastbite";

/// A part of a form that is written by hand.
pub(crate) fn part(name: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.as_bytes(), body, b"\r\n"].concat()
}

/// The end of a form that is written by hand.
pub(crate) fn end_of_form() -> Vec<u8> {
    format!("--{BOUNDARY}--\r\n").into_bytes()
}

impl Player {
    /// Sends a meal with a photo, and a key if there is one.
    pub(crate) async fn uploads(&self, meal: &Value, photo: Vec<u8>, key: Option<&str>) -> Answer {
        let mut request = self.api.request(Method::POST, "/api/v1/meals").multipart(form(meal, photo));
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        Answer::of(request).await
    }

    /// Sends JSON with an `Idempotency-Key`.
    pub(crate) async fn posts_once(&self, path: &str, body: &Value, key: &str) -> Answer {
        Answer::of(self.api.request(Method::POST, path).header(IDEMPOTENCY_KEY, key).json(body)).await
    }

    /// Posts these very bytes as a meal.
    pub(crate) async fn posts_bytes(&self, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.api.request(Method::POST, "/api/v1/meals").header(CONTENT_TYPE, content_type).body(body)).await
    }
}

/// How many files are in a folder and all its folders.
pub(crate) fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files_in(&path) } else { 1 })
        .sum()
}

/// The head of a request that posts a meal.
pub(crate) fn head(player: &Player, content_type: &str, length: usize) -> String {
    format!(
        "POST /api/v1/meals HTTP/1.1\r\nHost: lastbite\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n",
        player.token
    )
}

/// A connection on which bytes were sent as they are.
pub(crate) async fn sends(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// All that the server says until it closes.
pub(crate) async fn hears(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the server closes").unwrap();
    String::from_utf8(said).unwrap()
}
