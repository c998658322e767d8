//! The documents of the API: OpenAPI from the routes, AsyncAPI from the socket's types.
//!
//! The macros write what they know; [`polish`] makes of it what a reader and a code generator want.

use axum::{Json, Router, routing::get};
use lastbite_protocol::socket::{ClientMessage, SUBPROTOCOL, ServerMessage};
use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::App;

mod polish;

/// What the OpenAPI document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lastbite",
        description = "The real-time server of a diet survival game: log meals, keep your days, be the last one in.\n\n\
            Failures are `application/problem+json` with a stable `code`. Lists are paged by `after` and `limit`. \
            A field without a value is left out, never null. Times are RFC 3339 in UTC; amounts carry their unit in \
            their name. The socket at `/ws` is described at `/asyncapi.json`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "The server that serves this document")),
    tags(
        (name = "accounts", description = "Registering and signing in"),
        (name = "profile", description = "What users tell of themselves; their owner's alone"),
        (name = "moderation", description = "For who looks after the place"),
        (name = "challenges", description = "What is played, who plays, and how it ended"),
        (name = "foods", description = "What is in them, found as people type them"),
        (name = "meals", description = "The diary; what it says moves the boards"),
        (name = "health", description = "For load balancers"),
    ),
    modifiers(&Token)
)]
pub(super) struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        openapi
            .components
            .get_or_insert_default()
            .security_schemes
            .insert("token".to_owned(), SecurityScheme::Http(scheme).into());
    }
}

/// The OpenAPI document, as committed in `protocol/openapi.json`.
///
/// # Errors
/// It cannot be written as JSON.
pub fn openapi() -> Result<String, serde_json::Error> {
    let (_, description) = super::api().split_for_parts();
    pretty(&finished(&description)?)
}

fn finished(description: &utoipa::openapi::OpenApi) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(description)?;
    polish::schemas(&mut document);
    polish::answers(&mut document);
    Ok(document)
}

/// The schemas of everything that the socket says.
#[derive(OpenApi)]
#[openapi(components(schemas(ClientMessage, ServerMessage)))]
struct SocketSchemas;

/// The AsyncAPI document, as committed in `protocol/asyncapi.json`.
///
/// # Errors
/// It cannot be written as JSON.
pub fn asyncapi() -> Result<String, serde_json::Error> {
    let mut described = serde_json::to_value(SocketSchemas::openapi())?;
    polish::schemas(&mut described);
    let mut schemas = described["components"]["schemas"].take();
    let (client, server) = (messages_of(&mut schemas, "ClientMessage"), messages_of(&mut schemas, "ServerMessage"));
    let names = client.keys().chain(server.keys());
    let in_channel: Map<_, _> = names.map(|name| (name.clone(), reference("components/messages", name))).collect();
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lastbite socket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "JSON text frames, one object a frame, tagged by `type`; subprotocol `lastbite.v1`. \
                The first message is `hello`. Each client message has an `id`, which its `ok` or `error` repeats; \
                `hello` is answered by `welcome`.\n\n\
                Every stream has numbers without gaps; a client keeps the number `n` it has seen of each and names it \
                when it comes back. A `tick` is to be taken when its `from` is at most the client's `n`: its rows \
                replace those with the same player, and of its events the ones with greater numbers than any seen are \
                new. A greater `from` shows a gap, which a `snapshot` will close. Unknown types and fields are to be \
                passed over.\n\n\
                Before the server closes it says `bye` with the code that follows and whether to come back: from 4000 \
                on come back, from 4500 on stay away.",
        },
        "servers": { "here": { "host": "localhost:8080", "protocol": "ws" } },
        "channels": { "socket": { "address": "/ws", "title": SUBPROTOCOL, "messages": in_channel } },
        "operations": {
            "say": operation("receive", "What a client says.", &client),
            "hear": operation("send", "What the server says.", &server),
        },
        "components": { "messages": client.into_iter().chain(server).collect::<Map<_, _>>(), "schemas": schemas },
    });
    pretty(&document)
}

/// One message for each variant of an enum that is tagged by `type`; the enum itself is taken out of the schemas.
fn messages_of(schemas: &mut Value, union: &str) -> Map<String, Value> {
    let union = schemas.as_object_mut().and_then(|schemas| schemas.remove(union)).unwrap_or_default();
    let variants = union["oneOf"].as_array().cloned().unwrap_or_default();
    variants
        .into_iter()
        .filter_map(|variant| {
            let name = variant["title"].as_str()?.to_owned();
            let message = json!({
                "name": name, "title": name, "summary": variant["description"],
                "contentType": "application/json", "payload": variant,
            });
            Some((name, message))
        })
        .collect()
}

fn operation(action: &str, summary: &str, messages: &Map<String, Value>) -> Value {
    let messages: Vec<_> = messages.keys().map(|name| reference("channels/socket/messages", name)).collect();
    json!({
        "action": action, "summary": summary, "channel": { "$ref": "#/channels/socket" }, "messages": messages,
    })
}

fn reference(place: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{place}/{name}") })
}

fn pretty(document: &Value) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

pub(super) fn routes(description: &utoipa::openapi::OpenApi) -> Router<App> {
    let openapi = finished(description).unwrap_or_default();
    let asyncapi: Value = asyncapi().and_then(|text| serde_json::from_str(&text)).unwrap_or_default();
    Router::new()
        .route("/openapi.json", get(async move || Json(openapi.clone())))
        .route("/asyncapi.json", get(async move || Json(asyncapi.clone())))
}
