//! Somebody with a browser, who signs in through a provider.

use lastbite_protocol::rest::SignedIn;
use reqwest::{Method, header};
use serde_json::json;

use super::{Answer, Api, api, world::PUBLIC_URL};

/// A browser: it keeps one cookie, and goes where it is sent when it is told to.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) api: Api,
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    pub(crate) fn new(api: Api) -> Self {
        Self { api, cookie: None }
    }

    async fn goes(&self, path: &str) -> Answer {
        let request = self.api.request(Method::GET, path);
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, format!("theme=dark; {cookie}; x=\"y")),
            None => request,
        };
        Answer::of(request).await
    }

    /// Begins. Answers where it is sent, and keeps the cookie.
    pub(crate) async fn starts(&mut self, provider: &str, query: &str) -> String {
        let more = if query.is_empty() { "?" } else { "&" };
        let answer = self.goes(&format!("/oidc/{provider}/start{query}{more}at_least_14=true")).await;
        if let Some(cookie) = answer.headers.get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            for wanted in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=660"] {
                assert!(cookie.contains(wanted), "{cookie}");
            }
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        sent_to(&answer)
    }

    /// Agrees to what the provider asks. Answers where on our server the browser is sent.
    pub(crate) async fn agrees(&self, at_provider: &str) -> String {
        let back = sent_to(&Answer::of(api::client().get(at_provider)).await);
        back.strip_prefix(PUBLIC_URL).expect("back to us").to_owned()
    }

    /// Comes back. Answers what stands in the fragment of the page.
    pub(crate) async fn comes_back(&self, path: &str) -> String {
        let page = sent_to(&self.goes(path).await);
        page.strip_prefix("/signin#").expect("our own page").to_owned()
    }

    /// There and back.
    pub(crate) async fn goes_round(&mut self, provider: &str) -> String {
        let there = self.starts(provider, "").await;
        if let Some(fragment) = there.strip_prefix("/signin#") {
            return fragment.to_owned();
        }
        let back = self.agrees(&there).await;
        self.comes_back(&back).await
    }

    pub(crate) async fn uses(&self, ticket: &str) -> Answer {
        let body = json!({ "ticket": ticket, "device": "a browser" });
        let request = self.api.request(Method::POST, "/api/v1/sessions/ticket").json(&body);
        Answer::of(match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        })
        .await
    }

    pub(crate) async fn signs_in(&mut self, provider: &str) -> SignedIn {
        let fragment = self.goes_round(provider).await;
        let ticket = fragment.strip_prefix("ticket=").unwrap_or_else(|| panic!("no ticket: {fragment}"));
        self.uses(ticket).await.ok(201)
    }
}

#[track_caller]
fn sent_to(answer: &Answer) -> String {
    assert!(answer.status.is_redirection(), "{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    let to = answer.headers[header::LOCATION].to_str().unwrap().to_owned();
    if to.starts_with('/') {
        assert_eq!((answer.status.as_u16(), answer.headers["cache-control"].as_bytes()), (302, &b"no-store"[..]));
    }
    to
}
