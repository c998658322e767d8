//! A real Chromium with one page in it, spoken to over its DevTools protocol, of which this knows the few commands that
//! the tests of the pages need.
//!
//! The page keeps an account of everything a visitor's console would complain about, and of whatever it loads from
//! another server. [`Page::close`] settles it, and a page that is not closed fails its test.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{
    PATIENCE,
    postgres::tempfile::Folder,
    until,
    world::{PUBLIC_NAME, PUBLIC_URL},
};

const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// A browser that ends with its value.
struct Browser {
    process: Child,
    devtools_port: u16,
    profile: Folder,
}

/// The page of a browser of its own.
pub(crate) struct Page {
    browser: Browser,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// The server whose pages it shows.
    origin: String,
    /// What the console says went wrong, policies that were broken, exceptions that nobody caught, and addresses of
    /// other servers that it asked for something.
    troubles: Vec<String>,
    forgiven: Vec<&'static str>,
    /// Text frames of its sockets, oldest first.
    pub(crate) frames: Vec<Frame>,
    closed: bool,
}

/// A text frame of a page's socket.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) sent: bool,
    pub(crate) message: Value,
}

impl Browser {
    /// Starts one that finds the public name of a server of the tests at `address`.
    async fn start(address: &str) -> Self {
        let profile = Folder::new("lastbite-browser");
        let process = Command::new(program())
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--lang=ko"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--accept-lang=ko", "--remote-debugging-port=0"])
            .arg(format!("--host-resolver-rules=MAP {PUBLIC_NAME} {address}"))
            // It is to be so as behind TLS.
            .arg(format!("--unsafely-treat-insecure-origin-as-secure={PUBLIC_URL}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("no Chromium at {}: {error}", program()));
        let mut browser = Self { process, devtools_port: 0, profile };
        let told = browser.profile.path().join("DevToolsActivePort");
        browser.devtools_port = until("the browser listens", || async {
            let text = std::fs::read_to_string(&told).ok()?;
            let (port, _path) = text.split_once('\n')?;
            port.parse().ok()
        })
        .await;
        browser
    }

    /// Opens an empty page; answers the address of its socket.
    async fn new_page(&self) -> String {
        let url = format!("http://{}:{}/json/new?about:blank", Ipv4Addr::LOCALHOST, self.devtools_port);
        let page: Value = super::api::client().put(url).send().await.unwrap().json().await.unwrap();
        page["webSocketDebuggerUrl"].as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // For a test that has failed. The browser's helpers end when they lose it.
        let _gone = self.process.kill();
        let _buried = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "`./x test` tells its tests where Chromium is")]
fn program() -> String {
    std::env::var("LASTBITE_TEST_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned())
}

impl Page {
    /// Starts a browser, in Korean and of a desktop's size, and shows `path` of the server at `origin`.
    pub(crate) async fn open(origin: &str, path: &str) -> Self {
        Self::open_as(origin, origin, path).await
    }

    /// The same under the server's public name, to which others send the visitor back.
    pub(crate) async fn open_by_name(origin: &str, path: &str) -> Self {
        Self::open_as(PUBLIC_URL, origin, path).await
    }

    async fn open_as(origin: &str, server: &str, path: &str) -> Self {
        let browser = Browser::start(server.trim_start_matches("http://")).await;
        let (socket, _) = connect_async(browser.new_page().await).await.unwrap();
        let mut page = Self {
            browser,
            socket,
            last_id: 0,
            origin: origin.to_owned(),
            troubles: Vec::new(),
            forgiven: Vec::new(),
            frames: Vec::new(),
            closed: false,
        };
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            page.ask(&format!("{domain}.enable"), json!({})).await;
        }
        page.set_viewport(1400, 900, false).await;
        page.goto(path).await;
        page
    }

    /// Shows another path of the server, and waits until it is loaded.
    pub(crate) async fn goto(&mut self, path: &str) {
        let url = format!("{}{path}", self.origin);
        let answer = self.ask("Page.navigate", json!({ "url": url })).await;
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait_for("the page is loaded", "document.readyState === 'complete'").await;
    }

    /// The size of what is seen; a `mobile` one is laid out as phones do.
    pub(crate) async fn set_viewport(&mut self, width: u32, height: u32, mobile: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.ask("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// What the visitor prefers: `light` or `dark`, and whether things may move.
    pub(crate) async fn set_taste(&mut self, scheme: &str, still: bool) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": if still { "reduce" } else { "no-preference" } },
        ]);
        self.ask("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// The value of an expression; of a promise, what it comes to.
    pub(crate) async fn evaluate<T: DeserializeOwned>(&mut self, expression: &str) -> T {
        let value = self.try_to_evaluate(expression).await.unwrap_or_else(|fault| panic!("{expression}: {fault}"));
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Looks at the page until a condition holds. One that throws does not hold yet.
    pub(crate) async fn wait_for(&mut self, what: &str, condition: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let expression = format!("Boolean({condition})");
        let mut again = tokio::time::interval(LOOK_AGAIN);
        loop {
            again.tick().await;
            let seen = self.try_to_evaluate(&expression).await;
            if seen == Ok(Value::Bool(true)) {
                return;
            }
            if tokio::time::Instant::now() > deadline {
                let text: String = self.evaluate("`${location}\\n${document.body.innerText}`").await;
                panic!("never seen: {what} ({condition}): {seen:?}\n{:#?}\n{text}", self.troubles);
            }
        }
    }

    /// The text of the first element that a selector finds.
    pub(crate) async fn text(&mut self, selector: &str) -> String {
        self.evaluate(&format!("document.querySelector({selector:?}).textContent")).await
    }

    /// Clicks on an element where it is seen, as a finger would.
    pub(crate) async fn click(&mut self, selector: &str) {
        let middle = "(it => { it.scrollIntoView({ block: 'center' }); const box = it.getBoundingClientRect(); \
                      return [box.x + box.width / 2, box.y + box.height / 2]; })";
        let (x, y): (f64, f64) = self.evaluate(&format!("{middle}(document.querySelector({selector:?}))")).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.ask("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Types into a field, in place of what was there.
    pub(crate) async fn types(&mut self, selector: &str, text: &str) {
        self.click(selector).await;
        self.evaluate::<Value>(&format!("document.querySelector({selector:?}).select()")).await;
        self.ask("Input.insertText", json!({ "text": text })).await;
    }

    /// Writes what is seen into a PNG, for a human who wants to know why a test fails.
    #[expect(dead_code, reason = "for whoever changes the pages")]
    pub(crate) async fn screenshot(&mut self, to: &Path) {
        let answer = self.ask("Page.captureScreenshot", json!({ "format": "png" })).await;
        let png = base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        std::fs::write(to, png).unwrap();
    }

    /// Complaints that contain this text belong to the story.
    pub(crate) fn forgives(&mut self, trouble: &'static str) {
        self.forgiven.push(trouble);
    }

    /// What went wrong so far and is not forgiven.
    pub(crate) async fn troubles(&mut self) -> Vec<String> {
        // Whatever the page had to say comes before the answer.
        self.evaluate::<u8>("1").await;
        let is_forgiven = |trouble: &String| self.forgiven.iter().any(|forgiven| trouble.contains(forgiven));
        self.troubles.iter().filter(|trouble| !is_forgiven(trouble)).cloned().collect()
    }

    /// Waits until something has gone wrong that contains this text.
    pub(crate) async fn comes_to_have(&mut self, trouble: &str) {
        let waiting = async {
            while !self.troubles().await.iter().any(|known| known.contains(trouble)) {
                tokio::task::yield_now().await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "no such trouble: {trouble} in {:#?}", self.troubles);
    }

    /// Ends the browser. Nothing may have gone wrong.
    pub(crate) async fn close(mut self) {
        self.closed = true;
        let troubles = self.troubles().await;
        assert!(troubles.is_empty(), "the page has troubles: {troubles:#?}");
        // When it ends by itself, nobody writes into its profile any more that is about to be removed.
        let _ending = self.try_to_ask("Browser.close", json!({})).await;
        let process = std::cell::RefCell::new(&mut self.browser.process);
        until("the browser ends", || async { process.borrow_mut().try_wait().unwrap() }).await;
    }

    async fn try_to_evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let wish = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.try_to_ask("Runtime.evaluate", wish).await?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(details["exception"]["description"].to_string()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_to_ask(method, params).await.unwrap_or_else(|fault| panic!("{method}: {fault}"))
    }

    async fn try_to_ask(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.last_id += 1;
        let id = self.last_id;
        let command = json!({ "id": id, "method": method, "params": params });
        self.socket.send(Message::text(command.to_string())).await.unwrap();
        let answering = async {
            loop {
                let message = self.next().await;
                if message["id"] == id {
                    return message
                        .get("error")
                        .map_or_else(|| Ok(message["result"].clone()), |it| Err(it.to_string()));
                }
                self.notice(message["method"].as_str().unwrap_or_default(), &message["params"]);
            }
        };
        tokio::time::timeout(PATIENCE, answering)
            .await
            .unwrap_or_else(|_| panic!("the browser does not answer {method}"))
    }

    async fn next(&mut self) -> Value {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(_)) => {}
                end => panic!("the browser is gone: {end:?}; it ended with {:?}", self.browser.process.try_wait()),
            }
        }
    }

    fn notice(&mut self, event: &str, params: &Value) {
        match event {
            "Runtime.consoleAPICalled" if params["type"] == "error" => {
                self.troubles.push(format!("console: {}", params["args"]));
            }
            "Runtime.exceptionThrown" => self.troubles.push(format!("exception: {}", params["exceptionDetails"])),
            "Log.entryAdded" if params["entry"]["level"] == "error" => {
                self.troubles.push(format!("log: {} {}", params["entry"]["text"], params["entry"]["url"]));
            }
            "Audits.issueAdded" if params["issue"]["code"] == "ContentSecurityPolicyIssue" => {
                self.troubles.push(format!("policy: {}", params["issue"]["details"]));
            }
            "Network.requestWillBeSent" => self.asks_for(&text_of(&params["request"]["url"])),
            "Network.webSocketCreated" => self.asks_for(&text_of(&params["url"])),
            "Network.webSocketFrameSent" | "Network.webSocketFrameReceived" => {
                // Pings and closes are no messages.
                if let Ok(message) = serde_json::from_str(&text_of(&params["response"]["payloadData"])) {
                    self.frames.push(Frame { sent: event.ends_with("Sent"), message });
                }
            }
            _ => {}
        }
    }

    fn asks_for(&mut self, url: &str) {
        let is_inline = ["data:", "blob:", "about:"].iter().any(|scheme| url.starts_with(scheme));
        let server = |url: &str| url.split('/').nth(2).map(str::to_owned);
        if !is_inline && server(url) != server(&self.origin) {
            self.troubles.push(format!("elsewhere: {url}"));
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        assert!(self.closed || std::thread::panicking(), "a page is closed at the end, so that its troubles are seen");
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
