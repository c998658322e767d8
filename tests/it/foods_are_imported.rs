//! An operator brings in files of the Korean MFDS and of the USDA: as they are handed out, broken ones too, and again.

use lastbite_protocol::rest::{Food, FoodCategory, Grade, Page};
use serde_json::{Value, json};

use crate::support::{
    Player, World,
    postgres::tempfile::Folder,
    process::{lastbite, run, said},
};

/// As the data portal has it.
const HEADER: &str = "식품코드,식품명,데이터구분코드,데이터구분명,식품대분류명,대표식품명,영양성분함량기준량,에너지(kcal),수분(g),\
    단백질(g),지방(g),회분(g),탄수화물(g),당류(g),식이섬유(g),칼슘(mg),철(mg),인(mg),칼륨(mg),나트륨(mg),비타민 A(μg RAE),\
    레티놀(μg),베타카로틴(μg),티아민(mg),리보플라빈(mg),니아신(mg),비타민 C(mg),비타민 D(μg),콜레스테롤(mg),포화지방산(g),\
    트랜스지방산(g),출처명,1회 섭취참고량,식품중량,업체명,데이터기준일자";

/// A line of the CSV; the amounts are energy, protein, fat, carbohydrate, sugars, fibre, sodium and saturates.
fn line(
    code: &str,
    name: &str,
    group: &str,
    basis: &str,
    amounts: [&str; 8],
    weights: [&str; 2],
    maker: &str,
) -> String {
    let [energy, protein, fat, carbohydrate, sugars, fibre, sodium, saturates] = amounts;
    let [serving, weight] = weights;
    format!(
        "{code},{name},D,음식,{group},,{basis},{energy},70.1,{protein},{fat},0.7,{carbohydrate},{sugars},{fibre},12,0.81,99,103,\
         {sodium},5,1,46,0.06,0.2,1,0.6,0,23,{saturates},0,식품의약품안전처,{serving},{weight},{maker},2026-06-26"
    )
}

fn gukbap() -> String {
    let amounts = ["137", "6.70", "5.16", "15.94", "0.16", "0.6", "181", "1.8"];
    line("D101-004160000-0001", "국밥_돼지머리", "밥류", "100g", amounts, ["", "900g"], "해당없음")
}

fn csv(lines: &[String]) -> Vec<u8> {
    format!("{HEADER}\r\n{}\r\n", lines.join("\r\n")).into_bytes()
}

/// What an import said, and whether it went well.
struct Said {
    text: String,
    fine: bool,
}

impl Said {
    #[track_caller]
    fn tells(&self, words: &str) {
        assert!(self.text.contains(words), "{words:?} in:\n{}", self.text);
    }
}

impl World {
    async fn imports(&self, source: &str, content: impl AsRef<[u8]>, more: &[&str]) -> Said {
        let folder = Folder::new("lastbite-import");
        let file = folder.path().join("foods");
        std::fs::write(&file, content).unwrap();
        let mut command = lastbite();
        command.args(["foods", "import"]).arg(&file).args(["--source", source]).args(more);
        command.env("LASTBITE_DATABASE_URL", &self.database_url).arg("--data-dir").arg(folder.path());
        let done = run(command).await;
        Said { text: said(&done), fine: done.status.success() }
    }

    async fn imported(&self) -> i64 {
        self.count("select count(*) from foods where (id like 'mfds:%' or id like 'usda:fdc-%') and retired_at is null")
            .await
    }
}

impl Player {
    async fn reads_food(&self, id: &str) -> Food {
        self.api.get(&format!("/api/v1/foods/{id}")).await.ok(200)
    }

    async fn finds(&self, name: &str) -> Vec<String> {
        let path = format!("/api/v1/foods?limit=50&q={name}");
        let found = self.api.get(&path).await.ok::<Page<Food>>(200).items;
        found.into_iter().map(|food| food.id).collect()
    }
}

#[tokio::test]
async fn the_korean_table_is_read_in_both_encodings_and_only_what_changed_changes() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let lines = [
        gukbap(),
        // For another amount than 100, of a maker, with a comma, and a drink by volume.
        line(
            "P101-1",
            "\"쿠키, 초코\"",
            "과자류",
            "30g",
            ["150", "2", "7", "20", "10", "", "90", "4"],
            ["30g", "\"1,200 g\""],
            "한빛제과",
        ),
        line(
            "P102-2",
            "레몬에이드",
            "음료류",
            "200mL",
            ["90", "0", "0", "22.4", "22", "-", "10", "0"],
            ["200ml", "500ml"],
            "해당없음",
        ),
    ];
    let check = world.imports("mfds", csv(&lines), &["--check"]).await;
    check.tells("read 3, added 3, changed 0, same 0, skipped 0; a check: nothing was kept");
    assert_eq!((check.fine, world.imported().await), (true, 0));
    let marked = [b"\xef\xbb\xbf".to_vec(), csv(&lines)].concat();
    world.imports("mfds", marked, &[]).await.tells("read 3, added 3, changed 0, same 0, skipped 0\n");
    let utf8 = csv(&lines);
    let (cp949, _, lost) = encoding_rs::EUC_KR.encode(std::str::from_utf8(&utf8).unwrap());
    assert!(!lost);
    world.imports("mfds", &cp949, &[]).await.tells("read 3, added 0, changed 0, same 3, skipped 0\n");

    let gukbap = mina.reads_food("mfds:D101-004160000-0001").await;
    assert_eq!((gukbap.name_ko.as_deref(), gukbap.category), (Some("국밥 돼지머리"), FoodCategory::General));
    let of = &gukbap.per_100g;
    assert_eq!((of.energy_kcal, of.protein_mg, of.fat_mg), (Some(137), Some(6_700), Some(5_160)));
    assert_eq!((of.carbohydrate_mg, of.sugars_mg, of.fibre_mg), (Some(15_940), Some(160), Some(600)));
    assert_eq!((of.sodium_mg, of.saturates_mg, of.iron_ug), (Some(181), Some(1_800), Some(810)));
    assert_eq!((of.vitamin_a_ug, of.vitamin_c_ug, of.potassium_mg), (Some(5), Some(600), Some(103)));
    assert_eq!((gukbap.servings.len(), gukbap.servings[0].grams_dg), (1, 9_000));
    assert!(gukbap.source.contains("D101-004160000-0001") && gukbap.licence.contains("data.go.kr"), "{gukbap:?}");
    assert_ne!(gukbap.grade, Grade::Unknown);
    for name in ["국밥 돼지머리", "돼지머리국밥"] {
        assert!(mina.finds(name).await.contains(&gukbap.id), "{name}");
    }
    let cookie = mina.reads_food("mfds:P101-1").await;
    assert_eq!((cookie.name_ko.as_deref(), cookie.per_100g.energy_kcal), (Some("쿠키, 초코 (한빛제과)"), Some(500)));
    assert_eq!((cookie.per_100g.fat_mg, cookie.per_100g.fibre_mg), (Some(23_333), None), "unknown is not zero");
    assert_eq!(cookie.servings.iter().map(|serving| serving.grams_dg).collect::<Vec<_>>(), [300, 12_000]);
    let lemonade = mina.reads_food("mfds:P102-2").await;
    assert_eq!((lemonade.category, lemonade.per_100g.sugars_mg), (FoodCategory::Beverage, Some(11_000)));

    let salted = [lines[0].replace(",181,", ",300,"), lines[1].clone()];
    world.imports("mfds", csv(&salted), &[]).await.tells("read 2, added 0, changed 1, same 1, skipped 0\n");
    assert_eq!(mina.reads_food(&gukbap.id).await.per_100g.sodium_mg, Some(300));
    assert_eq!(world.imported().await, 3, "what a file has not is left");
    // What comes with the server is of another shelf: its next edition leaves these.
    sqlx::query("update food_tables set edition = 'another'").execute(&world.db).await.unwrap();
    lastbite::foods::load(&world.db).await.unwrap();
    assert_eq!(world.imported().await, 3);
    assert!(mina.finds("돼지머리국밥").await.contains(&gukbap.id));
    assert_eq!(mina.finds("쌀밥").await[0], "ko:ssalbap");
    world.stop().await;
}

#[tokio::test]
async fn rows_that_cannot_be_are_skipped_with_the_reason_and_odd_ones_warned_of() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let fine = ["137", "6.7", "5.16", "15.94", "0.16", "0.6", "181", "1.8"];
    let one = |code: &str, amounts| line(code, "음식", "밥류", "100g", amounts, ["", ""], "");
    let lines = [
        gukbap(),
        one("", fine),
        one("../etc", fine),
        line("D-0004", "  ", "밥류", "100g", fine, ["", ""], ""),
        line("D-0005", "음식", "밥류", "1인분", fine, ["", ""], ""),
        line("D-0006", "음식", "밥류", "0g", fine, ["", ""], ""),
        one("D-0007", ["137", "-6.7", "5.16", "15.94", "", "", "", ""]),
        one("D-0008", ["137", "많음", "5.16", "15.94", "", "", "", ""]),
        one("D-0009", ["137", "NaN", "5.16", "15.94", "", "", "", ""]),
        one("D-0010", ["903", "0", "100", "0", "", "", "", ""]),
        one("D-0011", ["400", "40", "40", "40", "", "", "", ""]),
        one("D-0012", ["400", "101", "0", "0", "", "", "", ""]),
        one("D-0013", ["", "1", "", "1", "", "", "", ""]),
        gukbap(),
        // Off, and a part above its whole: told, and left out.
        one("D-0015", ["300", "6.7", "5.16", "15.94", "30", "0.6", "181", "1.8"]),
    ];
    let told = world.imports("mfds", csv(&lines), &[]).await;
    assert!(told.fine, "{}", told.text);
    told.tells("read 15, added 2, changed 0, same 0, skipped 13\n");
    for reason in [
        "skipped 2, first line 3: no code",
        "skipped 1, first line 5: no name",
        "skipped 2, first line 6: the amount that its numbers are for",
        "skipped 2, first line 9: an amount is no number",
        "skipped 1, first line 8: an amount is negative",
        "skipped 1, first line 13: more than 100 g",
        "skipped 1, first line 11: more than 902 kcal",
        "skipped 1, first line 12: carbohydrate, protein, fat and alcohol are heavier",
        "skipped 1, first line 14: neither energy nor",
        "skipped 1, first line 15: its code stands further above",
        "warning, line 16: mfds:D-0015 has 300 kcal, what is in it 136",
    ] {
        told.tells(reason);
    }
    assert_eq!(mina.reads_food("mfds:D-0015").await.per_100g.sugars_mg, None);
    world.stop().await;
}

#[tokio::test]
async fn a_file_that_breaks_is_told_by_its_line_and_keeps_the_batches_before() {
    let world = World::open().await;
    let fine = ["137", "6.7", "5.16", "15.94", "0.16", "0.6", "181", "1.8"];
    let mut lines: Vec<_> =
        (0..1_500).map(|n| line(&format!("D-{n:05}"), "음식", "밥류", "100g", fine, ["", ""], "")).collect();
    lines[1_298] = "D-01298,음식".to_owned();
    for _ in 0..2 {
        let broken = world.imports("mfds", csv(&lines), &[]).await;
        assert!(!broken.fine && !broken.text.contains("panicked"), "{}", broken.text);
        broken.tells("read 1000, ");
        broken.tells("line 1300: 2 cells, and the first line has 36");
        assert_eq!(world.imported().await, 1_000);
    }
    let mut torn = csv(&lines[..3]);
    let at = torn.windows(8).position(|bytes| bytes == b"D-00002,").unwrap();
    torn[at + 8] = 0xff;
    for (source, content, reason) in [
        ("mfds", torn, "line 4: cell "),
        ("mfds", b"a,b,c\n1,2,3\n".to_vec(), "line 1: no column called \u{c2dd}\u{d488}\u{cf54}\u{b4dc}"),
        ("mfds", Vec::new(), "line 1: it is empty"),
        ("mfds", csv(&[gukbap().replace("국밥", "\"국밥")]), "line 2: "),
        ("mfds", b"PK\x03\x04".to_vec(), "is a zip"),
        ("mfds", b"{\"body\": {\"items\": [".to_vec(), "food 1: "),
        ("mfds", b"{\"error\": 1}".to_vec(), "food 1: no page"),
        (
            "mfds",
            br#"{"header":{"resultCode":"22","resultMsg":"LIMITED"},"body":{}}"#.to_vec(),
            "the failure 22 LIMITED",
        ),
        ("usda", b"{\"SRLegacyFoods\": [{}, {".to_vec(), "food 2: "),
        ("usda", b"{\"BrandedFoods\": []}".to_vec(), "no array called FoundationFoods"),
        ("usda", b"[]".to_vec(), "food 1: invalid type"),
        ("usda", csv(&lines[..3]), "food 1: "),
    ] {
        let broken = world.imports(source, &content, &[]).await;
        assert!(!broken.fine && !broken.text.contains("panicked"), "{reason}: {}", broken.text);
        broken.tells(reason);
        assert_eq!(broken.text.lines().filter(|line| line.starts_with("lastbite: ")).count(), 1, "{}", broken.text);
    }
    assert_eq!(world.imported().await, 1_000);
    assert!(!world.imports("elsewhere", "", &[]).await.fine);
    world.stop().await;
}

#[tokio::test]
async fn pages_of_the_korean_api_are_read_however_they_are_wrapped() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let item = |code: &str| {
        json!({
            "FOOD_CD": code, "FOOD_NM_KR": "된장찌개_차돌", "FOOD_CAT1_NM": "찌개 및 전골류", "SERVING_SIZE": "200g", "Z10500": "400g",
            "AMT_NUM1": "120", "AMT_NUM3": "9", "AMT_NUM4": "6.4", "AMT_NUM6": "7", "AMT_NUM7": "", "AMT_NUM8": null,
            "AMT_NUM13": "1,100", "AMT_NUM24": 1.5, "MAKER_NM": "",
        })
    };
    let page =
        |items: Value| json!({ "header": { "resultCode": "00" }, "body": { "totalCount": "1", "items": items } });
    let pages = [
        page(json!([item("D-0001"), item("D-0002")])),
        json!({ "response": page(json!({ "item": [item("D-0003")] })) }),
        page(json!({ "item": item("D-0004") })),
        page(json!([{ "item": item("D-0005") }])),
        json!([page(json!([item("D-0006")])), page(json!([item("D-0007")]))]),
        page(json!("")),
        json!({ "header": { "resultCode": "00" }, "body": { "totalCount": 0 } }),
    ];
    let file = pages.map(|page| page.to_string()).join("\n");
    world.imports("mfds", &file, &[]).await.tells("read 7, added 7, changed 0, same 0, skipped 0\n");
    world.imports("mfds", &file, &[]).await.tells("read 7, added 0, changed 0, same 7, skipped 0\n");
    let stew = mina.reads_food("mfds:D-0004").await;
    assert_eq!((stew.per_100g.energy_kcal, stew.per_100g.protein_mg), (Some(60), Some(4_500)));
    assert_eq!((stew.per_100g.sugars_mg, stew.per_100g.fibre_mg), (None, None));
    assert_eq!((stew.per_100g.sodium_mg, stew.per_100g.saturates_mg), (Some(550), Some(750)));
    assert_eq!(stew.servings[0].grams_dg, 4_000);
    world.stop().await;
}

/// A food of FoodData Central with these nutrients by their ids.
fn fdc(fdc_id: u64, description: &str, group: &str, nutrients: &[(u64, f64)]) -> Value {
    let told = |(id, amount): &(u64, f64)| json!({ "type": "FoodNutrient", "nutrient": { "id": id, "unitName": "g" }, "amount": amount });
    json!({
        "fdcId": fdc_id, "description": description, "dataType": "SR Legacy", "foodCategory": { "description": group },
        "foodNutrients": nutrients.iter().map(told).collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn fooddata_central_is_read_food_by_food() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let mut hummus = fdc(
        321_358,
        "Hummus, commercial",
        "Legumes and Legume Products",
        &[
            (2047, 243.0),
            (2048, 229.0),
            (1003, 7.35),
            (1004, 17.1),
            (1005, 14.9),
            (1079, 5.4),
            (1063, 0.62),
            (1258, 2.56),
        ],
    );
    hummus["foodNutrients"].as_array_mut().unwrap().push(json!({ "nutrient": { "id": 1093 }, "median": 438 }));
    hummus["foodPortions"] = json!([
        { "amount": 2, "measureUnit": { "name": "tablespoon" }, "gramWeight": 33.9 },
        { "amount": 1, "measureUnit": { "name": "undetermined" }, "modifier": "cup", "gramWeight": 246 },
        { "portionDescription": "Quantity not specified", "gramWeight": 30 },
        { "gramWeight": "heavy" },
    ]);
    let foundation = json!({ "about": { "FoundationFoods": "no" }, "FoundationFoods": [
        hummus,
        fdc(2, "Beef, loin, raw", "Beef Products", &[(1008, 120.0), (1003, 22.0), (1004, 3.4), (1005, -0.04)]),
        fdc(3, "Oil, olive", "Fats and Oils", &[(1008, 884.0), (1003, 0.0), (1004, 100.0), (1005, 0.0)]),
        fdc(4, "Beverages, cola", "Beverages", &[(1008, 42.0), (1005, 10.6)]),
        fdc(5, "Cheese, cheddar", "Dairy and Egg Products", &[(1008, 403.0), (1005, 3.1), (1003, 23.0), (1004, 33.3)]),
        fdc(6, "Bad", "", &[(1008, 100.0), (1003, -2.0)]),
        fdc(7, "", "", &[(1008, 100.0)]),
        json!({ "description": "No id" }),
        json!("no food"),
        fdc(8, "Gum", "Sweets", &[(1008, 100.0), (1003, 0.0), (1004, 0.0), (1005, 90.0)]),
    ] });
    let told = world.imports("usda", foundation.to_string(), &[]).await;
    told.tells("read 10, added 6, changed 0, same 0, skipped 4\n");
    told.tells("skipped 2, first food 8: no code");
    told.tells("skipped 1, first food 7: no name");
    told.tells("skipped 1, first food 6: an amount is negative");
    told.tells("warning, food 10: usda:fdc-8 has 100 kcal, what is in it 360");
    world.imports("usda", foundation.to_string(), &[]).await.tells("read 10, added 0, changed 0, same 6, skipped 4\n");
    let hummus = mina.reads_food("usda:fdc-321358").await;
    assert_eq!((hummus.name_en.as_deref(), hummus.per_100g.energy_kcal), (Some("Hummus, commercial"), Some(229)));
    assert_eq!((hummus.per_100g.carbohydrate_mg, hummus.per_100g.sugars_mg), (Some(14_900), Some(620)));
    assert_eq!((hummus.per_100g.sodium_mg, hummus.per_100g.potassium_mg), (Some(438), None));
    let servings: Vec<_> = hummus.servings.iter().map(|one| (one.name_en.as_str(), one.grams_dg)).collect();
    assert_eq!(servings, [("2 tablespoon", 339), ("1 cup", 2_460)]);
    assert!(hummus.source.contains("FDC 321358") && hummus.licence.contains("CC0"), "{hummus:?}");
    assert!(mina.finds("hummus").await.contains(&hummus.id));
    for (fdc_id, category) in
        [(2, FoodCategory::RedMeat), (3, FoodCategory::Fat), (4, FoodCategory::Beverage), (5, FoodCategory::Cheese)]
    {
        assert_eq!(mina.reads_food(&format!("usda:fdc-{fdc_id}")).await.category, category, "{fdc_id}");
    }
    assert_eq!(mina.reads_food("usda:fdc-2").await.per_100g.carbohydrate_mg, Some(0));
    for (array, fdc_id) in [("SRLegacyFoods", 20), ("SurveyFoods", 21)] {
        let file = json!({ array: [fdc(fdc_id, "Rice, cooked", "", &[(1008, 130.0)])] });
        world.imports("usda", file.to_string(), &[]).await.tells("read 1, added 1, ");
    }
    world.stop().await;
}
