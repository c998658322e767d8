//! Google Cloud Vision: labels, objects, and whether the picture is fit to be looked at. It knows no weights.

use axum::http::{Request, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Blind, Recognise, Seen, SeenFood};
use crate::{config::eyes, limits, outside::Outside};

/// What it says of nearly every meal, and what is no food.
const TOO_GENERAL: [&str; 26] = [
    "food",
    "tableware",
    "ingredient",
    "recipe",
    "dish",
    "cuisine",
    "meal",
    "produce",
    "plate",
    "bowl",
    "table",
    "serveware",
    "dishware",
    "cooking",
    "garnish",
    "staple food",
    "comfort food",
    "fast food",
    "drink",
    "breakfast",
    "lunch",
    "dinner",
    "supper",
    "brunch",
    "kitchen utensil",
    "packaged goods",
];

/// The service.
#[derive(Debug)]
pub(super) struct Google {
    settings: eyes::Google,
    outside: Outside,
}

impl Google {
    pub(super) fn new(settings: eyes::Google, outside: Outside) -> Self {
        Self { settings, outside }
    }

    fn question(&self, jpeg: &[u8]) -> Result<Request<Vec<u8>>, anyhow::Error> {
        let feature = |kind: &str| json!({ "type": kind, "maxResults": limits::VISION_FOODS_MAX });
        let features = ["LABEL_DETECTION", "OBJECT_LOCALIZATION", "SAFE_SEARCH_DETECTION"].map(feature);
        let question = json!({ "requests": [{ "image": { "content": STANDARD.encode(jpeg) }, "features": features }] });
        // In a header: a key in an address stands in every log on the way.
        Ok(Request::post(format!("{}/v1/images:annotate", self.settings.base))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-goog-api-key", self.settings.key.expose_secret())
            .body(serde_json::to_vec(&question)?)?)
    }

    async fn ask(&self, jpeg: &[u8]) -> Result<Seen, Blind> {
        let question = self.question(jpeg).map_err(Blind::Away)?;
        let answer = self.outside.ask(question).await.map_err(|error| Blind::Away(error.into()))?;
        if !answer.status().is_success() {
            return Err(Blind::Nonsense(format!("it said {}", answer.status())));
        }
        let raw: Value = serde_json::from_slice(answer.body()).map_err(|_| Blind::Nonsense("no JSON".to_owned()))?;
        let foods = read(&raw)?;
        Ok(Seen { provider: "google", model: "images:annotate".to_owned(), version: "v1", raw, foods })
    }
}

impl Recognise for Google {
    fn name(&self) -> &'static str {
        "google"
    }

    fn is_outside(&self) -> bool {
        true
    }

    fn look<'a>(&'a self, jpeg: &'a Bytes) -> BoxFuture<'a, Result<Seen, Blind>> {
        Box::pin(self.ask(jpeg))
    }
}

#[derive(Deserialize)]
struct Answer {
    responses: Vec<One>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    #[serde(default)]
    label_annotations: Vec<Label>,
    #[serde(default)]
    localized_object_annotations: Vec<Object>,
    #[serde(default)]
    safe_search_annotation: Option<Safety>,
    #[serde(default)]
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Label {
    description: String,
    score: f64,
}

#[derive(Deserialize)]
struct Object {
    name: String,
    score: f64,
}

#[derive(Deserialize)]
struct Safety {
    #[serde(default)]
    adult: String,
    #[serde(default)]
    violence: String,
    #[serde(default)]
    racy: String,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    code: i64,
}

/// Codes of `google.rpc` that pass: deadline exceeded, resource exhausted, internal, unavailable.
const PASSING: [i64; 4] = [4, 8, 13, 14];

fn read(raw: &Value) -> Result<Vec<SeenFood>, Blind> {
    let nonsense = |what: &str| Blind::Nonsense(what.to_owned());
    let answer = Answer::deserialize(raw).map_err(|_| nonsense("another form"))?;
    let one = answer.responses.into_iter().next().ok_or_else(|| nonsense("no response"))?;
    // It says 200 all the same.
    if let Some(fault) = one.error {
        return Err(if PASSING.contains(&fault.code) {
            Blind::Away(anyhow::anyhow!("error {} within the answer", fault.code))
        } else {
            Blind::Nonsense(format!("error {} within the answer", fault.code))
        });
    }
    let is_unfit = |safety: &Safety| {
        let likely = |what: &str| matches!(what, "LIKELY" | "VERY_LIKELY");
        likely(&safety.adult) || likely(&safety.violence) || safety.racy == "VERY_LIKELY"
    };
    if one.safe_search_annotation.is_some_and(|safety| is_unfit(&safety)) {
        return Err(Blind::Unfit);
    }
    // An object is on the picture, a label is about it.
    let objects = one.localized_object_annotations.into_iter().map(|object| (object.name, object.score));
    let labels = one.label_annotations.into_iter().map(|label| (label.description, label.score));
    let mut foods: Vec<SeenFood> = Vec::new();
    for (name, score) in objects.chain(labels).take(4 * limits::VISION_FOODS_MAX) {
        let name = name.trim();
        let is_name =
            (1..=limits::FOOD_NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        if !is_name || !(0.0..=1.0).contains(&score) {
            return Err(nonsense("a name or a score that is none"));
        }
        let is_known = foods.iter().any(|food| food.name.eq_ignore_ascii_case(name));
        if !is_known && !TOO_GENERAL.contains(&name.to_lowercase().as_str()) {
            let confidence_permille = (score * 1_000.0) as u16;
            foods.push(SeenFood { name: name.to_owned(), class: None, confidence_permille, grams_dg: None });
        }
    }
    foods.sort_by_key(|food| std::cmp::Reverse(food.confidence_permille));
    foods.truncate(limits::VISION_FOODS_MAX);
    Ok(foods)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(one: &Value) -> Result<Vec<String>, Blind> {
        read(&json!({ "responses": [one] })).map(|foods| foods.into_iter().map(|food| food.name).collect())
    }

    #[test]
    fn objects_and_labels_are_foods_unless_they_are_too_general() {
        let told = names(&json!({
            "labelAnnotations": [{ "description": "Food", "score": 0.99 }, { "description": "Kimchi", "score": 0.8 },
                                 { "description": "Pizza", "score": 0.7 }],
            "localizedObjectAnnotations": [{ "name": "pizza", "score": 0.9 }],
            "safeSearchAnnotation": { "adult": "VERY_UNLIKELY", "violence": "POSSIBLE", "racy": "LIKELY" },
        }));
        assert_eq!(told.unwrap(), ["pizza", "Kimchi"]);
        assert!(names(&json!({})).unwrap().is_empty());
    }

    #[test]
    fn a_picture_that_is_not_fit_is_told_and_an_error_within_an_answer_is_one() {
        for unfit in
            [json!({ "adult": "LIKELY" }), json!({ "violence": "VERY_LIKELY" }), json!({ "racy": "VERY_LIKELY" })]
        {
            assert!(matches!(names(&json!({ "safeSearchAnnotation": unfit })), Err(Blind::Unfit)));
        }
        assert!(matches!(names(&json!({ "error": { "code": 14, "message": "away" } })), Err(Blind::Away(_))));
        assert!(matches!(names(&json!({ "error": { "code": 3 } })), Err(Blind::Nonsense(_))));
        for label in [json!({ "description": "", "score": 0.5 }), json!({ "description": "a", "score": -1 })] {
            assert!(matches!(names(&json!({ "labelAnnotations": [label] })), Err(Blind::Nonsense(_))));
        }
        for raw in [json!({}), json!([]), json!({ "responses": [] }), json!({ "responses": "x" })] {
            assert!(matches!(read(&raw), Err(Blind::Nonsense(_))), "{raw}");
        }
    }
}
