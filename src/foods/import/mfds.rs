//! 전국통합식품영양성분정보 of the Korean MFDS: the CSV of the data portal, whose columns are known by their names, and pages of
//! its API. The numbers are those of the amount in 영양성분함량기준량; carbohydrate is with fibre.

use std::{borrow::Cow, io::BufRead};

use lastbite_protocol::foods::{FoodCategory, Serving};
use serde_json::Value;

use super::{
    Each,
    entry::{self, About, Entry, Skip, Told},
};

const LICENCE: &str = "Korean government open data (data.go.kr), MFDS; facts only";
/// What says that there is nothing.
const NOTHING: [&str; 5] = ["", "-", "N/A", "해당없음", "null"];
const CODE_CHARS: std::ops::RangeInclusive<usize> = 4..=40;
/// A drink that has more is a powder or a syrup.
const DRINK_KCAL_MOST: u32 = 120;

/// What a food is read from: columns of the CSV, or fields of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Code,
    Name,
    Maker,
    Group,
    Kind,
    /// For how much the amounts are.
    Basis,
    /// What is eaten at once.
    Serving,
    /// All of it.
    Weight,
    Amount(Told),
}

const FIELDS: [Field; 22] = [
    Field::Code,
    Field::Name,
    Field::Maker,
    Field::Group,
    Field::Kind,
    Field::Basis,
    Field::Serving,
    Field::Weight,
    Field::Amount(Told::EnergyKcal),
    Field::Amount(Told::ProteinG),
    Field::Amount(Told::FatG),
    Field::Amount(Told::CarbohydrateG),
    Field::Amount(Told::SugarsG),
    Field::Amount(Told::FibreG),
    Field::Amount(Told::CalciumMg),
    Field::Amount(Told::IronMg),
    Field::Amount(Told::PotassiumMg),
    Field::Amount(Told::SodiumMg),
    Field::Amount(Told::VitaminAUg),
    Field::Amount(Told::VitaminCMg),
    Field::Amount(Told::SaturatesG),
    Field::Amount(Told::AlcoholG),
];
/// Without one of these it is another file.
const NEEDED: [Field; 4] = [Field::Code, Field::Name, Field::Basis, Field::Amount(Told::EnergyKcal)];

/// The column without its spaces, and the field of the API.
const fn names(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Code => ("식품코드", "FOOD_CD"),
        Field::Name => ("식품명", "FOOD_NM_KR"),
        Field::Maker => ("업체명", "MAKER_NM"),
        Field::Group => ("식품대분류명", "FOOD_CAT1_NM"),
        Field::Kind => ("대표식품명", "FOOD_REF_NM"),
        Field::Basis => ("영양성분함량기준량", "SERVING_SIZE"),
        Field::Serving => ("1회섭취참고량", "NUTRI_AMOUNT_SERVING"),
        Field::Weight => ("식품중량", "Z10500"),
        Field::Amount(told) => match told {
            Told::EnergyKcal => ("에너지(kcal)", "AMT_NUM1"),
            Told::ProteinG => ("단백질(g)", "AMT_NUM3"),
            Told::FatG => ("지방(g)", "AMT_NUM4"),
            Told::CarbohydrateG => ("탄수화물(g)", "AMT_NUM6"),
            Told::SugarsG => ("당류(g)", "AMT_NUM7"),
            Told::FibreG => ("식이섬유(g)", "AMT_NUM8"),
            Told::CalciumMg => ("칼슘(mg)", "AMT_NUM9"),
            Told::IronMg => ("철(mg)", "AMT_NUM10"),
            Told::PotassiumMg => ("칼륨(mg)", "AMT_NUM12"),
            Told::SodiumMg => ("나트륨(mg)", "AMT_NUM13"),
            Told::VitaminAUg => ("비타민A(μgRAE)", "AMT_NUM14"),
            Told::VitaminCMg => ("비타민C(mg)", "AMT_NUM21"),
            Told::SaturatesG => ("포화지방산(g)", "AMT_NUM24"),
            Told::AlcoholG => ("알코올(g)", ""),
            Told::AddedSugarsG | Told::MagnesiumMg | Told::VitaminEMg => ("", ""),
        },
    }
}

/// Reads the CSV. Its header says whether it is UTF-8; else it is CP949, in which no second byte of a letter is a comma, a
/// quote or an end of line, so that cells can be told apart before they are read.
///
/// # Errors
/// The line, and why it is no such file.
pub(super) fn read_csv(file: impl BufRead, each: Each<'_>) -> Result<(), String> {
    // Ends of lines are those of Unix, so that lines are counted right; what is before one is trimmed with its cell.
    let mut csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(file);
    let mut cells = csv::ByteRecord::new();
    let mut next = |cells: &mut csv::ByteRecord| -> Result<Option<u64>, String> {
        let more = csv.read_byte_record(cells).map_err(|error| error.to_string())?;
        Ok(more.then(|| cells.position().map_or(0, csv::Position::line)))
    };
    next(&mut cells)?.ok_or("line 1: it is empty")?;
    let is_utf8 = cells.iter().all(|cell| std::str::from_utf8(cell).is_ok());
    let columns = columns(&cells, is_utf8)?;
    let width = cells.len();
    while let Some(line) = next(&mut cells)? {
        if cells.len() == 1 && cells[0].trim_ascii().is_empty() {
            continue;
        }
        if cells.len() != width {
            return Err(format!("line {line}: {} cells, and the first line has {width}", cells.len()));
        }
        let mut told = Vec::with_capacity(columns.len());
        for (field, at) in &columns {
            let text = text(&cells[*at], is_utf8).ok_or_else(|| format!("line {line}: cell {} is no text", at + 1))?;
            told.push((*field, text.into_owned()));
        }
        let of = |field| told.iter().find(|(known, _)| *known == field).map(|(_, text)| Cow::Borrowed(text.as_str()));
        if !each(line, food_of(of)) {
            return Ok(());
        }
    }
    Ok(())
}

fn text(cell: &[u8], is_utf8: bool) -> Option<Cow<'_, str>> {
    if is_utf8 {
        std::str::from_utf8(cell).ok().map(Cow::Borrowed)
    } else {
        encoding_rs::EUC_KR.decode_without_bom_handling_and_without_replacement(cell)
    }
}

fn columns(header: &csv::ByteRecord, is_utf8: bool) -> Result<Vec<(Field, usize)>, String> {
    let plain = |cell: &[u8]| {
        let text = text(cell, is_utf8).unwrap_or_default().replace('㎍', "μg").replace('µ', "μ");
        text.split_whitespace().collect::<String>()
    };
    let header: Vec<_> = header.iter().map(plain).collect();
    let at = |field: &Field| Some((*field, header.iter().position(|name| name == names(*field).0)?));
    for field in NEEDED {
        at(&field).ok_or_else(|| format!("line 1: no column called {}", names(field).0))?;
    }
    Ok(FIELDS.iter().filter_map(at).collect())
}

/// Reads pages of the API, one after the other or in an array.
///
/// # Errors
/// The food, and why it is no such page.
pub(super) fn read_json(file: impl BufRead, each: Each<'_>) -> Result<(), String> {
    let mut at = 0;
    for page in serde_json::Deserializer::from_reader(file).into_iter::<Value>() {
        let page = page.map_err(|error| format!("food {}: {error}", at + 1))?;
        let pages = match page {
            Value::Array(pages) => pages,
            page => vec![page],
        };
        for page in pages {
            for food in foods(&page).map_err(|fault| format!("food {}: {fault}", at + 1))? {
                at += 1;
                let of = |field| match &food[names(field).1] {
                    Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                    Value::Number(number) => Some(Cow::Owned(number.to_string())),
                    _ => None,
                };
                if !each(at, food_of(of)) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// The foods of a page, in whichever way it is wrapped.
fn foods(page: &Value) -> Result<Vec<&Value>, String> {
    let page = if page["response"].is_object() { &page["response"] } else { page };
    if let Some(code) = page["header"]["resultCode"].as_str().filter(|code| *code != "00") {
        let words = page["header"]["resultMsg"].as_str().unwrap_or_default();
        return Err(format!("a page with the failure {code} {words}"));
    }
    let items = &page["body"]["items"];
    let items = if items["item"].is_null() { items } else { &items["item"] };
    match items {
        Value::Array(items) => {
            Ok(items.iter().map(|item| if item["item"].is_object() { &item["item"] } else { item }).collect())
        }
        Value::Object(_) => Ok(vec![items]),
        // A page after the last has none.
        Value::Null | Value::String(_) if page["body"].is_object() => Ok(Vec::new()),
        _ => Err("no page with body and items".to_owned()),
    }
}

fn food_of<'a>(of: impl Fn(Field) -> Option<Cow<'a, str>>) -> Result<Entry, Skip> {
    let told = |field| of(field).map(|text| text.trim().to_owned()).filter(|text| !NOTHING.contains(&text.as_str()));
    let code = told(Field::Code).ok_or(Skip::Code)?;
    let is_code = CODE_CHARS.contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !is_code {
        return Err(Skip::Code);
    }
    // Kind and variety are parted by a line, and people say them the other way round: 국밥_돼지머리.
    let told_name = told(Field::Name).ok_or(Skip::Name)?;
    let name = entry::name(&told_name.replace('_', " ")).ok_or(Skip::Name)?;
    let (grams, is_fluid) = told(Field::Basis).and_then(|basis| weight(&basis)).ok_or(Skip::Basis)?;
    let per_100g = entry::per_100g(|what| {
        let Some(amount) = told(Field::Amount(what)) else { return Ok(None) };
        if amount.eq_ignore_ascii_case("tr") {
            return Ok(Some(0.0));
        }
        let amount: f64 = amount.replace(',', "").parse().map_err(|_| Skip::NoNumber)?;
        Ok(Some(amount * 100.0 / grams))
    })?;
    let maker = told(Field::Maker);
    let mut names = vec![name.clone()];
    names.extend(told_name.split_once('_').map(|(kind, variety)| format!("{variety} {kind}").replace('_', " ")));
    names.extend(maker.iter().map(|maker| format!("{maker} {name}")));
    let shown = maker.map_or(Some(name.clone()), |maker| entry::name(&format!("{name} ({maker})")));
    let group = told(Field::Group).unwrap_or_default() + " " + &told(Field::Kind).unwrap_or_default();
    let is_thin = is_fluid || per_100g.energy_kcal.is_some_and(|kcal| kcal <= DRINK_KCAL_MOST);
    let serving = |field, ko, en| -> Option<Serving> { entry::serving(ko, en, weight(&told(field)?)?.0) };
    let about = About {
        id: format!("mfds:{code}"),
        name_ko: shown,
        name_en: None,
        names,
        category: category(&group, is_thin),
        servings: [
            serving(Field::Serving, "1회 섭취참고량", "a reference serving"),
            serving(Field::Weight, "전체", "the whole"),
        ]
        .into_iter()
        .flatten()
        .collect(),
        source: format!("MFDS 전국통합식품영양성분정보: {code}"),
        licence: LICENCE,
    };
    Entry::of(about, per_100g)
}

/// Grams or millilitres, and whether these: `100g`, `200 mL`.
fn weight(text: &str) -> Option<(f64, bool)> {
    let text = text.replace([',', ' '], "").replace('㎖', "ml").to_lowercase();
    let digits = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
    let (number, unit) = text.split_at(digits);
    let is_fluid = match unit {
        "g" => false,
        "ml" => true,
        _ => return None,
    };
    number.parse().ok().filter(|number| *number > 0.0).map(|number| (number, is_fluid))
}

fn category(group: &str, is_thin: bool) -> FoodCategory {
    let has = |words: &[&str]| words.iter().any(|word| group.contains(word));
    if has(&["치즈"]) {
        FoodCategory::Cheese
    } else if is_thin
        && (has(&["음료"]) || group.split_whitespace().any(|word| matches!(word, "우유" | "우유류" | "두유")))
    {
        FoodCategory::Beverage
    } else if has(&["유지류", "견과", "종실"]) {
        FoodCategory::Fat
    } else {
        FoodCategory::General
    }
}
