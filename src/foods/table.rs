//! The rows that come with the server: `data/*.tsv`, each with its source and licence (`data/README.md`).
//!
//! They are loaded when the edition in the binary is another than the one in Postgres. What an edition has no more is
//! retired, never deleted: meals were made of it. Foods from elsewhere are not the table's to retire.

use anyhow::{Context, ensure};
use lastbite_protocol::foods::{FoodCategory, Nutrients, Serving};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use super::rows::{self, NameRow, Row};

const FILES: [&str; 2] = [include_str!("data/korean.tsv"), include_str!("data/usda.tsv")];
const HEADER: &str = "id\tname_ko\tname_en\taliases\tcategory\tenergy_kcal\tcarbohydrate_mg\tcarbohydrate_has_fibre\t\
                      sugars_mg\tadded_sugars_mg\tfibre_mg\tprotein_mg\tfat_mg\tsaturates_mg\talcohol_mg\tsodium_mg\t\
                      potassium_mg\tcalcium_mg\tmagnesium_mg\tiron_ug\tvitamin_a_ug\tvitamin_c_ug\tvitamin_e_ug\t\
                      fruit_veg_legume_permille\thas_sweetener\tservings\tserving_source\tsource\tlicence";
/// ImageNet's classes that are foods, and which.
const CLASSES: &str = include_str!("data/imagenet.tsv");
/// Part of the edition: names are made anew when they are made differently.
const FORM: &[u8] = b"1";

/// The id of the food that one of ImageNet's classes is.
pub(crate) fn of_class(class: u16) -> Option<&'static str> {
    CLASSES.lines().skip(1).find_map(|line| {
        let mut cells = line.split('\t');
        let is_it = cells.next()?.parse() == Ok(class);
        is_it.then(|| cells.nth(1)).flatten()
    })
}

fn row(line: &str) -> anyhow::Result<Row> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [
        id,
        name_ko,
        name_en,
        aliases,
        category,
        energy,
        carbohydrate,
        has_fibre,
        sugars,
        added_sugars,
        fibre,
        protein,
        fat,
        saturates,
        alcohol,
        sodium,
        potassium,
        calcium,
        magnesium,
        iron,
        vitamin_a,
        vitamin_c,
        vitamin_e,
        share,
        sweetener,
        servings,
        _serving_source,
        source,
        licence,
    ] = cells[..]
    else {
        anyhow::bail!("{} cells", cells.len())
    };
    let amount = |cell: &str| -> anyhow::Result<Option<u32>> {
        if cell.is_empty() { Ok(None) } else { Ok(Some(cell.parse().with_context(|| format!("{cell:?}"))?)) }
    };
    let text = |cell: &str| (!cell.is_empty()).then(|| cell.to_owned());
    let (carbohydrate_mg, fibre_mg) = (amount(carbohydrate)?, amount(fibre)?);
    // Counted with fibre everywhere: rows that count it apart are converted here.
    let carbohydrate_mg = match has_fibre {
        "1" => carbohydrate_mg,
        _ => carbohydrate_mg.zip(fibre_mg).map(|(available, fibre)| available + fibre),
    };
    let category: FoodCategory = category.parse().map_err(anyhow::Error::msg)?;
    ensure!(!source.is_empty() && !licence.is_empty(), "no number without a source");
    let is_korean = !name_ko.is_empty();
    let named = [(name_ko, 1), (name_en, if is_korean { 2 } else { 3 })];
    let also = aliases.split('|').map(|alias| (alias, 2));
    let mut names: Vec<NameRow> =
        named.into_iter().chain(also).filter_map(|(name, tier)| NameRow::new(id, name, tier)).collect();
    names.sort_by(|a, b| (&a.key, a.tier).cmp(&(&b.key, b.tier)));
    names.dedup_by(|a, b| a.key == b.key);
    Ok(Row {
        id: id.to_owned(),
        name_ko: text(name_ko),
        name_en: text(name_en),
        category: category.as_str(),
        per_100g: Nutrients {
            energy_kcal: amount(energy)?,
            carbohydrate_mg,
            sugars_mg: amount(sugars)?,
            added_sugars_mg: amount(added_sugars)?,
            fibre_mg,
            protein_mg: amount(protein)?,
            fat_mg: amount(fat)?,
            saturates_mg: amount(saturates)?,
            alcohol_mg: amount(alcohol)?,
            sodium_mg: amount(sodium)?,
            potassium_mg: amount(potassium)?,
            calcium_mg: amount(calcium)?,
            magnesium_mg: amount(magnesium)?,
            iron_ug: amount(iron)?,
            vitamin_a_ug: amount(vitamin_a)?,
            vitamin_c_ug: amount(vitamin_c)?,
            vitamin_e_ug: amount(vitamin_e)?,
        },
        fruit_veg_legume_permille: amount(share)?.map(u16::try_from).transpose()?,
        has_sweetener: text(sweetener).map(|cell| cell == "1"),
        servings: servings_of(servings)?,
        source: source.to_owned(),
        licence: licence.to_owned(),
        names,
    })
}

fn servings_of(cell: &str) -> anyhow::Result<Vec<Serving>> {
    let one = |text: &str| {
        let mut parts = text.split(';');
        let (Some(ko), Some(en), Some(grams), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            anyhow::bail!("a serving is name_ko;name_en;grams_dg, not {text:?}")
        };
        Ok(Serving { name_ko: ko.to_owned(), name_en: en.to_owned(), grams_dg: grams.parse()? })
    };
    cell.split('|').filter(|text| !text.is_empty()).map(one).collect()
}

fn rows() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for file in FILES {
        let mut lines = file.lines();
        ensure!(lines.next() == Some(HEADER), "another header than the one expected");
        for line in lines {
            rows.push(row(line).with_context(|| line.chars().take(40).collect::<String>())?);
        }
    }
    Ok(rows)
}

/// Brings the table in Postgres to the edition in the binary.
///
/// # Errors
/// Postgres is away.
pub async fn load(pool: &PgPool) -> anyhow::Result<()> {
    let edition = FILES.iter().fold(Sha256::new_with_prefix(FORM), |hash, file| hash.chain_update(file)).finalize();
    let mut tx = pool.begin().await?;
    // Nodes that start at the same moment come one after the other.
    sqlx::query!("select pg_advisory_xact_lock(hashtext('foods'))").execute(&mut *tx).await?;
    let loaded =
        sqlx::query_scalar!("select edition from food_tables where name = 'own'").fetch_optional(&mut *tx).await?;
    if loaded.as_deref() == Some(edition.as_slice()) {
        return Ok(());
    }
    let rows = rows().context("the food table")?;
    // Thousands of rows are more than a request may take.
    sqlx::query!("set local statement_timeout = '60s'").execute(&mut *tx).await?;
    rows::retire_table(&mut tx).await?;
    for some in rows.chunks(1_000) {
        rows::put(&mut tx, some).await?;
    }
    sqlx::query!(
        "insert into food_tables (name, edition) values ('own', $1) on conflict (name) do update set edition = $1",
        edition.as_slice()
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    tracing::info!(foods = rows.len(), "the food table was loaded");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::nutrition::atwater::{Plausibility, plausibility};

    #[test]
    fn every_row_can_be_and_says_where_it_is_from() {
        let rows = rows().unwrap();
        let ids: HashSet<_> = rows.iter().map(|row| &row.id).collect();
        assert!(rows.iter().all(|row| rows::is_of_table(&row.id)), "the next edition could not retire it");
        assert_eq!(ids.len(), rows.len(), "ids are unique");
        let korean: Vec<_> = rows.iter().filter(|row| row.name_ko.is_some()).collect();
        assert!(korean.len() >= 300, "{} Korean foods", korean.len());
        for row in &korean {
            assert!(!row.servings.is_empty(), "{} has no serving", row.id);
        }
        for row in &rows {
            assert!(!row.names.is_empty() && row.per_100g.energy_kcal.is_some(), "{}", row.id);
            let can_be = plausibility(&row.per_100g, None);
            assert!(!matches!(can_be, Plausibility::Impossible(_)), "{}: {can_be:?}", row.id);
            assert!(row.servings.iter().all(|serving| (1..=50_000).contains(&serving.grams_dg)), "{}", row.id);
        }
    }

    #[test]
    fn a_bowl_of_rice_is_a_bowl_of_rice() {
        let rows = rows().unwrap();
        let rice = rows.iter().find(|row| row.name_ko.as_deref() == Some("쌀밥")).unwrap();
        assert_eq!((rice.servings[0].name_ko.as_str(), rice.servings[0].grams_dg), ("한 공기", 2_100));
        assert!((120..=170).contains(&rice.per_100g.energy_kcal.unwrap()), "{rice:?}");
    }
}
