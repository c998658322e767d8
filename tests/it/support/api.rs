//! Plain HTTP against a server.

use std::net::{IpAddr, SocketAddr};

use lastbite_protocol::rest::Problem;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Every client asks for it, also one that speaks in plain text.
pub(crate) fn install_tls() {
    let _already = rustls::crypto::ring::default_provider().install_default();
}

/// A client for plain HTTP. Redirects are for the test to look at.
pub(crate) fn client() -> reqwest::Client {
    client_at(None)
}

fn client_at(address: Option<IpAddr>) -> reqwest::Client {
    install_tls();
    let redirect = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(redirect).local_address(address);
    client.build().unwrap()
}

/// A client without an account.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    client: reqwest::Client,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

impl Api {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, client: client(), token: None }
    }

    /// The same, from another address of this machine.
    pub(crate) fn from(&self, address: [u8; 4]) -> Self {
        Self { client: client_at(Some(address.into())), ..self.clone() }
    }

    /// The same, with a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, self.url(path));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap() }
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A success without a body.
    #[track_caller]
    pub(crate) fn ok_empty(&self, status: u16) {
        assert_eq!((self.status.as_u16(), &*self.body), (status, &b""[..]));
    }

    /// The problem of a failure, which has to have this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{text}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((problem.status, problem.code.as_str()), (status, code), "{text}");
        assert!(problem.request_id.is_some(), "a problem names its request: {text}");
        problem
    }
}
