//! The documents of the API under `protocol/` are the ones the server serves, and they hold together.
//!
//! `cargo run -- describe openapi > protocol/openapi.json` writes one anew, `asyncapi` the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use lastbite::web;
use serde_json::{Map, Value};

fn protocol() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol")
}

fn openapi() -> Value {
    serde_json::from_str(&web::openapi().unwrap()).unwrap()
}

fn asyncapi() -> Value {
    serde_json::from_str(&web::asyncapi().unwrap()).unwrap()
}

#[test]
fn drift_openapi() {
    check_committed("openapi", &web::openapi().unwrap());
}

#[test]
fn drift_asyncapi() {
    check_committed("asyncapi", &web::asyncapi().unwrap());
}

fn check_committed(name: &str, wanted: &str) {
    let kept = fs::read_to_string(protocol().join(format!("{name}.json"))).unwrap_or_default();
    let differs = wanted.lines().zip(kept.lines()).find(|(wanted, kept)| wanted != kept);
    assert!(
        kept == wanted,
        "protocol/{name}.json is old, first here: {differs:?}; run: cargo run -- describe {name} > protocol/{name}.json"
    );
}

#[test]
fn drift_every_reference_leads_somewhere() {
    for document in [openapi(), asyncapi()] {
        let mut references = BTreeSet::new();
        visit(&document, &mut |fields| {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
        });
        assert!(!references.is_empty());
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("within the document");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
}

#[test]
fn drift_every_schema_is_used_and_described() {
    for document in [openapi(), asyncapi()] {
        let mut references = BTreeSet::new();
        visit(&document, &mut |fields| {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
        });
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(references.contains(&format!("#/components/schemas/{name}")), "nothing refers to {name}");
            assert!(schema["description"].is_string(), "{name} is not described");
        }
    }
}

#[test]
fn drift_every_operation_says_what_it_answers() {
    let document = openapi();
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    let mut ids = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().expect(&place).to_owned()), "{place}: id used twice");
            assert!(tags.contains(&operation["tags"][0]), "{place}: no known tag");
            assert!(operation["summary"].is_string(), "{place}: no summary");
            check_answers(&place, operation);
            check_parameters(&place, path, operation);
        }
    }
}

fn check_answers(place: &str, operation: &Value) {
    let answers = operation["responses"].as_object().unwrap();
    let some = |class: char| answers.keys().any(|status| status.starts_with(class));
    assert!(some('2'), "{place}: no success");
    // Whoever only asks whether the server runs cannot ask wrongly.
    assert!(some('4') || place.contains(" /health/"), "{place}: no failure of the caller's");
    assert!(operation["security"].is_null() || answers.contains_key("401"), "{place}: 401 is missing");
    for (status, answer) in answers {
        assert!(answer["description"].as_str().is_some_and(|words| !words.is_empty()), "{place} {status}: no words");
        if matches!(status.as_str(), "202" | "204" | "302" | "304") {
            assert!(answer["content"].is_null(), "{place} {status}: a body where there is none");
            continue;
        }
        let (kind, body) = answer["content"].as_object().unwrap().iter().next().unwrap();
        let is_problem = body["schema"]["$ref"] == "#/components/schemas/Problem";
        assert_eq!(is_problem, !status.starts_with('2'), "{place} {status}");
        assert_eq!(is_problem, kind == "application/problem+json", "{place} {status}");
    }
}

fn check_parameters(place: &str, path: &str, operation: &Value) {
    let none = Vec::new();
    let parameters = operation["parameters"].as_array().unwrap_or(&none);
    let of_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
    let named: BTreeSet<_> = of_path.filter_map(|parameter| parameter["name"].as_str()).collect();
    let asked: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
    assert_eq!(named, asked, "{place}");
}

/// Each fixture of the socket is a message of the document, as far as shapes go.
#[test]
fn drift_every_fixture_fits_the_asyncapi() {
    let document = asyncapi();
    let messages = document["components"]["messages"].as_object().unwrap();
    let mut met = BTreeSet::new();
    for (file, fixture) in fixtures("socket/client").into_iter().chain(fixtures("socket/server")) {
        let name = fixture["type"].as_str().expect("a type").to_owned();
        let message = messages.get(&name).unwrap_or_else(|| panic!("{file}: {name} is not in the document"));
        if let Err(fault) = fits(&fixture, &message["payload"], &document) {
            panic!("{file}: {fault}");
        }
        met.insert(name);
    }
    assert_eq!(met, messages.keys().cloned().collect(), "a fixture for each message, and a message for each fixture");
}

/// Each fixture of the REST API is a schema of the document.
#[test]
fn drift_every_fixture_fits_the_openapi() {
    let document = openapi();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut met = 0;
    for (file, fixture) in fixtures("rest") {
        let name = file.trim_end_matches("_short_means").trim_end_matches("_short");
        let name = if name == "page_of_challenges" { "Page_Challenge".to_owned() } else { camel(name) };
        let schema = schemas.get(&name).unwrap_or_else(|| panic!("{file}: {name} is not in the document"));
        if let Err(fault) = fits(&fixture, schema, &document) {
            panic!("{file}: {fault}");
        }
        met += 1;
    }
    assert!(met > 10, "{met} fixtures");
}

fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// Whether a value has the type, the required fields and no fields that a schema does not know.
fn fits(value: &Value, schema: &Value, document: &Value) -> Result<(), String> {
    let mut known = BTreeMap::new();
    fits_parts(value, schema, document, &mut known)?;
    for (name, field) in value.as_object().into_iter().flatten() {
        let schema = known.get(name).ok_or_else(|| format!("{name} is not known"))?;
        fits(field, schema, document).map_err(|fault| format!("{name}: {fault}"))?;
    }
    Ok(())
}

/// Gathers the fields that a schema knows, over all its parts.
fn fits_parts(
    value: &Value,
    schema: &Value,
    document: &Value,
    known: &mut BTreeMap<String, Value>,
) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits_parts(value, document.pointer(&reference[1..]).unwrap(), document, known);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fits_parts(value, part, document, known)?;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting: Vec<_> = choices
            .iter()
            .filter_map(|choice| {
                let mut of_choice = BTreeMap::new();
                fits_parts(value, choice, document, &mut of_choice).ok().map(|()| of_choice)
            })
            .collect();
        let [only] = fitting.as_slice() else { return Err(format!("fits {} of the choices: {value}", fitting.len())) };
        known.extend(only.clone());
    }
    fits_shape(value, schema, document)?;
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(tag) = value.get(name)
            && let Some(allowed) = field["enum"].as_array()
            && !allowed.contains(tag)
        {
            return Err(format!("{name} is {tag}"));
        }
        known.insert(name.clone(), field.clone());
    }
    let missing =
        schema["required"].as_array().into_iter().flatten().find(|name| value[name.as_str().unwrap()].is_null());
    missing.map_or(Ok(()), |name| Err(format!("{name} is missing")))
}

fn fits_shape(value: &Value, schema: &Value, document: &Value) -> Result<(), String> {
    let right = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some(other) => return Err(format!("{other} is a type this test does not know")),
    };
    if !right {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Err(format!("{value} is none of {allowed:?}"));
    }
    let bounds = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
    if let Some(items) = value.as_array() {
        let bounds = bounds("minItems").unwrap_or(0)..=bounds("maxItems").unwrap_or(usize::MAX);
        if !bounds.contains(&items.len()) {
            return Err(format!("{} items, not {bounds:?}", items.len()));
        }
    }
    value.as_array().into_iter().flatten().try_for_each(|item| fits(item, &schema["items"], document))
}

fn fixtures(folder: &str) -> Vec<(String, Value)> {
    let files = fs::read_dir(protocol().join("fixtures").join(folder)).unwrap().map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    files.map(read).collect()
}

fn visit(value: &Value, see: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(fields) => {
            see(fields);
            fields.values().for_each(|field| visit(field, see));
        }
        _ => {}
    }
}
