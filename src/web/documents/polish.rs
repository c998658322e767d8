//! What the macros leave rough in a document: nulls that never travel, schemas written out twice, answers without words.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// Makes all schemas plain, names the variants of unions, and names again what is written out though it has a name.
pub(super) fn schemas(document: &mut Value) {
    plain(document);
    let Some(named) = document["components"]["schemas"].as_object().cloned() else { return };
    name_items(document, &named);
}

/// A field without a value is left out, so "or null" says nothing; and comments of the code become text.
fn plain(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Object(fields) => {
            fields.values_mut().for_each(plain);
            without_null(fields);
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = words(text);
            }
            if let Some(Value::Array(variants)) = fields.get_mut("oneOf") {
                variants.iter_mut().for_each(name_variant);
            }
        }
        _ => {}
    }
}

fn without_null(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
    let nothing = json!({ "type": "null" });
    if let Some(Value::Array(choices)) = fields.get_mut("oneOf")
        && choices.contains(&nothing)
    {
        choices.retain(|choice| *choice != nothing);
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            fields.remove("oneOf");
            fields.extend(only);
        }
    }
}

/// Lines of one paragraph are joined, and links of the code become plain names.
fn words(text: &str) -> String {
    let paragraphs: Vec<_> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    paragraphs.join("\n\n").replace("[`", "`").replace("`]", "`")
}

/// A variant is called by its tag: the one field with a single allowed value.
fn name_variant(variant: &mut Value) {
    let whole = std::iter::once(&*variant);
    let parts = variant["allOf"].as_array().into_iter().flatten();
    let fields = whole.chain(parts).filter_map(|part| part["properties"].as_object()).flat_map(Map::values);
    let tag = fields.filter_map(|field| field["enum"].as_array()).find(|allowed| allowed.len() == 1);
    if let (Some(title), Value::Object(fields)) = (tag.map(|allowed| allowed[0].clone()), variant) {
        fields.insert("title".to_owned(), title);
    }
}

/// The items of a page are written out by the macros; where a schema of the same shape has a name, the name will do.
fn name_items(value: &mut Value, named: &Map<String, Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| name_items(item, named)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| name_items(field, named));
            if let Some(items) = fields.get_mut("items")
                && let Some((name, _)) =
                    named.iter().find(|(_, schema)| *schema == items && items.get("$ref").is_none())
            {
                *items = json!({ "$ref": format!("{SCHEMAS}{name}") });
            }
        }
        _ => {}
    }
}

/// Gives every answer its words, problems their content type, and each operation an answer for all other failures.
pub(super) fn answers(document: &mut Value) {
    let named = document["components"]["schemas"].clone();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for operation in operations {
        let Some(answers) = operation["responses"].as_object_mut() else { continue };
        for (status, answer) in answers.iter_mut() {
            finish(status, answer, &named);
        }
        answers.insert("default".to_owned(), any_other_failure());
    }
}

fn finish(status: &str, answer: &mut Value, named: &Value) {
    let Some(answer) = answer.as_object_mut() else { return };
    let schema = answer.get("content").and_then(|content| content["application/json"]["schema"]["$ref"].as_str());
    let schema = schema.and_then(|schema| schema.strip_prefix(SCHEMAS)).unwrap_or_default().to_owned();
    if schema == "Problem"
        && let Some(Value::Object(content)) = answer.get_mut("content")
        && let Some(body) = content.remove("application/json")
    {
        content.insert("application/problem+json".to_owned(), body);
    }
    if answer.get("description").is_none_or(|words| words == "") {
        let words = match status {
            "400" => json!("`query_invalid`"),
            "401" => json!("`token_missing`, `token_invalid`, `token_expired`"),
            "404" => json!("`not_found`"),
            _ if named[&schema]["description"].is_string() => named[&schema]["description"].clone(),
            _ => {
                json!(status.parse().ok().and_then(|status: StatusCode| status.canonical_reason()).unwrap_or_default())
            }
        };
        answer.insert("description".to_owned(), words);
    }
}

fn any_other_failure() -> Value {
    json!({
        "description": "Any other failure; with `Retry-After` when the same request may work later.",
        "content": { "application/problem+json": { "schema": { "$ref": format!("{SCHEMAS}Problem") } } },
    })
}
