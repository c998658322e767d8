//! What all answers share: problems that name their request, headers that protect, documents that can be read, and
//! pages that are served from the binary and from nowhere else.

use std::{collections::HashSet, io::ErrorKind::WouldBlock};

use lastbite_protocol::rest::Health;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, World, pictures, until,
    uploads::{hears, lunch_today, sends},
};

#[tokio::test]
async fn every_problem_names_its_request_as_the_header_does() {
    let world = World::open().await;
    let api = world.api();
    let answers = [
        (api.get("/nowhere").await, 404, "not_found"),
        (api.get("/api/v1/nowhere").await, 404, "not_found"),
        (api.get("/api/v1/challenges/1").await, 404, "not_found"),
        (api.get("/assets/nowhere.js").await, 404, "not_found"),
        (api.delete("/api/v1/accounts").await, 405, "method_not_allowed"),
        (api.get("/api/v1/accounts/me").await, 401, "token_missing"),
        (api.get("/api/v1/challenges?limit=0").await, 400, "query_invalid"),
        (api.post("/api/v1/accounts", &json!(1)).await, 422, "json_invalid"),
        (Answer::of(api.request(Method::POST, "/api/v1/accounts").body("x")).await, 415, "content_type_unsupported"),
        (api.post("/api/v1/accounts", &json!("x".repeat(70_000))).await, 413, "body_too_large"),
    ];
    let mut ids = HashSet::new();
    for (answer, status, code) in &answers {
        let problem = answer.refused(*status, code);
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(problem.request_id.as_deref(), Some(id), "{code}");
        assert_eq!((problem.kind.as_str(), problem.title.is_empty()), ("about:blank", false));
        assert_eq!(answer.headers["cache-control"], "no-store", "{code}");
        ids.insert(id.to_owned());
    }
    assert_eq!(ids.len(), answers.len(), "each request has an id of its own");
    let fine = api.get("/health/live").await;
    assert!(fine.headers.contains_key("x-request-id"), "and so has one that went well");
    world.stop().await;
}

#[tokio::test]
async fn a_request_cannot_choose_its_own_id() {
    let world = World::open().await;
    let request = world.api().request(Method::GET, "/nowhere").header("x-request-id", "mine");
    let answer = Answer::of(request).await;
    assert_ne!(answer.headers["x-request-id"], "mine");
    world.stop().await;
}

#[tokio::test]
async fn a_method_that_a_route_does_not_take_is_told_so() {
    let world = World::open().await;
    for (method, path) in [
        (Method::PUT, "/api/v1/meals"),
        (Method::POST, "/api/v1/accounts/me"),
        (Method::DELETE, "/api/v1/challenges"),
        (Method::POST, "/health/live"),
        (Method::POST, "/"),
        (Method::DELETE, "/assets/base.css"),
        (Method::POST, "/openapi.json"),
    ] {
        let answer = Answer::of(world.api().request(method, path)).await;
        answer.refused(405, "method_not_allowed");
        assert!(answer.headers.contains_key("allow"), "{path} says which methods it takes");
    }
    world.stop().await;
}

#[tokio::test]
async fn only_allowed_origins_may_read_answers() {
    let world = World::open().await;
    let from = async |method: Method, origin: &str| {
        let request = world.api().request(method, "/api/v1/meals").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        Answer::of(request.header("access-control-request-headers", "authorization,idempotency-key")).await
    };
    let known = from(Method::OPTIONS, "https://app.example.com").await;
    assert_eq!(known.status, 200);
    assert_eq!(known.headers["access-control-allow-origin"], "https://app.example.com");
    let allowed = known.headers["access-control-allow-headers"].to_str().unwrap().to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"), "{allowed}");
    assert!(known.headers["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    let refused = from(Method::GET, "https://app.example.com").await;
    assert_eq!(refused.headers["access-control-allow-origin"], "https://app.example.com", "problems can be read too");
    assert!(refused.headers["access-control-expose-headers"].to_str().unwrap().contains("retry-after"));
    for origin in ["https://evil.example.com", "https://app.example.com.evil.example", "http://app.example.com", "null"]
    {
        for method in [Method::OPTIONS, Method::GET] {
            let answer = from(method, origin).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
        }
    }
    assert!(
        !known.headers.contains_key("access-control-allow-credentials"),
        "tokens go in a header, never in a cookie"
    );
    world.stop().await;
}

#[tokio::test]
async fn every_answer_has_headers_that_protect() {
    let world = World::open().await;
    for path in ["/", "/docs", "/assets/base.css", "/health/live", "/openapi.json", "/api/v1/challenges", "/nowhere"] {
        let answer = world.api().get(path).await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["referrer-policy"], "same-origin", "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap_or_default();
        assert!(!scripts.contains("unsafe"), "{path}: {policy}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_server_says_whether_it_lives_and_works() {
    let world = World::open().await;
    for path in ["/health/live", "/health/ready"] {
        let health: Health = world.api().get(path).await.ok(200);
        assert_eq!((health.status.as_str(), health.version.as_str()), ("ok", env!("CARGO_PKG_VERSION")));
    }
    world.node.app.shutdown.unready.cancel();
    let answer = world.api().get("/health/ready").await;
    answer.refused(503, "draining");
    assert!(answer.headers.contains_key("retry-after"));
    world.api().get("/health/live").await.ok::<Health>(200);
    world.stop().await;
}

#[tokio::test]
async fn when_every_place_is_taken_requests_are_told_to_come_back_whatever_they_say_they_carry() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let web = &world.node.app.web;
    let places = web.requests.available_permits();
    let all = web.requests.acquire_many(u32::try_from(places).unwrap()).await.unwrap();
    for content_type in ["application/json", "multipart/form-data; boundary=x"] {
        let request = world.api().request(Method::GET, "/api/v1/challenges").header("content-type", content_type);
        let answer = Answer::of(request).await;
        answer.refused(503, "overloaded");
        assert!(answer.headers.contains_key("retry-after"));
    }
    world.api().get("/health/live").await.ok::<Health>(200);
    drop(all);
    let places = web.uploads.available_permits();
    let all = web.uploads.acquire_many(u32::try_from(places).unwrap()).await.unwrap();
    mina.uploads(&lunch_today(), pictures::jpeg(80, 40), None).await.refused(503, "busy");
    drop(all);
    mina.uploads(&lunch_today(), pictures::jpeg(80, 40), None).await.ok::<Value>(201);
    world.stop().await;
}

#[tokio::test]
async fn a_url_has_an_end() {
    let world = World::open().await;
    let path = |letters| format!("/api/v1/challenges?status={}", "a".repeat(letters));
    world.api().get(&path(4_000)).await.refused(400, "query_invalid");
    world.api().get(&path(4_100)).await.refused(414, "url_too_long");
    world.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let world = World::open().await;
    let tcp = tokio::net::TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let mut stalled = tcp.connect(world.node.address).await.unwrap();
    let request = "GET /assets/vendor/redoc/redoc.standalone.js HTTP/1.1\r\nhost: x\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stalled, request.as_bytes()).await.unwrap();
    // Nobody reads what is written here either; once the server has hung up, it cannot be written.
    until("the server lets it go", || async {
        stalled.try_write(b"x").is_err_and(|error| error.kind() != WouldBlock).then_some(())
    })
    .await;
    world.stop().await;
}

/// The operations of the OpenAPI document: method, path with ids filled in, description.
async fn operations(api: &Api) -> Vec<(Method, String, Value)> {
    let document: Value = api.get("/openapi.json").await.ok(200);
    let paths = document["paths"].as_object().unwrap().clone();
    let operations = paths.into_iter().flat_map(|(path, item)| {
        let path = path.replace("{id}", "01890000-0000-7000-8000-000000000000").replace("{size}", "large");
        let path = path
            .replace("{nickname}", "mina")
            .replace("{barcode}", "4006381333931")
            .replace("{date}", "2026-03-02")
            .replace("{day}", "1")
            .replace("{purpose}", "service")
            .replace("{provider}", "kakao");
        assert!(!path.contains('{'), "every piece of {path} is filled in");
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, operation)| {
            (Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), path.clone(), operation)
        })
    });
    operations.collect()
}

#[tokio::test]
async fn every_operation_that_needs_a_token_asks_for_one() {
    let world = World::open().await;
    let api = world.api();
    let (mut asked, mut open) = (0, 0);
    for (method, path, operation) in operations(&api).await {
        let needs_token = operation["security"]
            .as_array()
            .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| way.get("token").is_some()));
        let answer = Answer::of(api.request(method.clone(), &path)).await;
        if needs_token {
            assert_eq!(answer.refused(401, "token_missing").status, 401, "{method} {path}");
            assert!(operation["responses"].get("401").is_some(), "{method} {path} says so");
            asked += 1;
        } else {
            assert_ne!(answer.status, 401, "{method} {path}");
            assert!(!matches!(answer.status.as_u16(), 405 | 500..), "{method} {path}: {answer:?}");
            open += 1;
        }
    }
    assert!(asked >= 11 && open >= 6, "{asked} with a token, {open} without: the walk went past every route");
    world.stop().await;
}

#[tokio::test]
async fn the_documents_of_the_api_can_be_read() {
    let world = World::open().await;
    let openapi: Value = world.api().get("/openapi.json").await.ok(200);
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3."));
    let asyncapi: Value = world.api().get("/asyncapi.json").await.ok(200);
    assert_eq!(asyncapi["asyncapi"], "3.0.0");
    for document in [openapi, asyncapi] {
        let mut references = Vec::new();
        collect_references(&document, &mut references);
        assert!(references.len() > 10);
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("a document stands on its own");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
    world.stop().await;
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}

#[tokio::test]
async fn a_page_that_the_browser_has_is_not_sent_again() {
    let world = World::open().await;
    for path in ["/", "/watch/01890000-0000-7000-8000-000000000000", "/docs", "/assets/base.css"] {
        let first = world.api().get(path).await;
        assert_eq!(first.status, 200, "{path}");
        let tag = first.headers["etag"].clone();
        let asks = |tag| world.api().request(Method::GET, path).header("if-none-match", tag);
        let known = Answer::of(asks(tag.clone())).await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0), "{path}");
        assert_eq!(known.headers["etag"], tag);
        let outdated = Answer::of(asks("\"0123456789abcdef\"".parse().unwrap())).await;
        assert_eq!((outdated.status.as_u16(), outdated.body), (200, first.body), "{path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn assets_have_their_type_and_nothing_else_is_served() {
    let world = World::open().await;
    for (path, content_type) in [
        ("/assets/base.css", "text/css; charset=utf-8"),
        ("/assets/watch.js", "text/javascript; charset=utf-8"),
        ("/assets/shared/strings.js", "text/javascript; charset=utf-8"),
        ("/assets/favicon.svg", "image/svg+xml"),
        ("/assets/index.html", "text/html; charset=utf-8"),
    ] {
        let answer = world.api().get(path).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &content_type.parse().unwrap()));
    }
    world.stop().await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_pages() {
    let world = World::open().await;
    for path in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/..%2fCargo.toml",
        "/assets/..%5cCargo.toml",
        "/assets/%2e%2e%2fCargo.toml",
        "/assets/....//Cargo.toml",
        "/assets/shared/../../Cargo.toml",
        "/assets//etc/passwd",
        "/assets/%2fetc%2fpasswd",
        "/assets/base.css%00.js",
        "/assets/%ff",
        "/assets/",
        "/assets/shared",
        "/assets/package.json",
        "/assets/test/board.test.js",
        "/../../etc/passwd",
    ] {
        // By hand: a client would tidy the path up before it sends it.
        let request = format!("GET {path} HTTP/1.1\r\nHost: lastbite\r\nConnection: close\r\n\r\n");
        let said = hears(sends(world.node.address, request.as_bytes()).await).await;
        let status = said.split_whitespace().nth(1).unwrap();
        assert!(matches!(status, "400" | "404"), "{path}: {said}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_head_is_answered_as_a_get_without_its_body() {
    let world = World::open().await;
    for path in ["/", "/assets/base.css", "/health/live", "/api/v1/challenges"] {
        let (get, head) = (world.api().get(path).await, Answer::of(world.api().request(Method::HEAD, path)).await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"], "{path}");
    }
    world.stop().await;
}
