//! What stands in an export, file by file. Read page by page: what is written down meanwhile may be in it or not.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::SecondsFormat;
use futures_util::future::BoxFuture;
use lastbite_protocol::{
    SessionId, Standing, UserId,
    profile::{Body, Targets},
    rest::{Account, Consent, Identity, Profile, Session},
};
use serde::Serialize;
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use super::{archive::Archive, consents, oidc, profile, sessions, store};
use crate::{
    App,
    error::ApiError,
    foods, limits, meals,
    media::{Size, StoredPhoto},
};

/// So that spreadsheets take the text for what it is.
const UTF_8: &str = "\u{feff}";

#[derive(Serialize)]
struct Told {
    account: Account,
    profile: Profile,
    consents: Vec<Consent>,
    sessions: Vec<Session>,
    /// With what others say of the user.
    identities: Vec<Identity>,
}

#[derive(Serialize)]
struct Health {
    body: Option<Body>,
    targets: Option<Targets>,
}

/// Writes all that is a user's own. Answers none when there is no such user.
pub(super) async fn write(app: &App, user: UserId) -> anyhow::Result<Option<std::fs::File>> {
    let pool = &app.db.jobs;
    let Some(found) = store::load(pool, user).await? else { return Ok(None) };
    let profile = profile::load(pool, user).await.map_err(|error| told(&error))?;
    let targets = match profile::load_targets(pool, user).await {
        Ok(targets) => Some(targets),
        Err(error) if error.code() == "not_found" => None,
        Err(error) => return Err(told(&error)),
    };
    let archive = Archive::begin(&app.tasks);
    let health = Health { body: profile.body.clone(), targets };
    let account = Told {
        account: found.account,
        profile,
        consents: consents::history(pool, user).await?,
        // No session asks for this.
        sessions: sessions::list(pool, user, SessionId::generate(), app.clock.wall()).await?,
        identities: oidc::list_identities(pool, user).await?,
    };
    archive.text("account.json").await;
    archive.bytes(serde_json::to_vec_pretty(&account)?).await;
    archive.text("body.json").await;
    archive.bytes(serde_json::to_vec_pretty(&health)?).await;
    write_weights(pool, user, &archive).await?;
    write_waters(pool, user, &archive).await?;
    write_challenges(pool, user, &archive).await?;
    write_meals(pool, user, &archive).await?;
    write_foods(pool, user, &archive).await?;
    write_analyses(pool, user, &archive).await?;
    write_pictures(app, user, &archive).await?;
    Ok(Some(archive.end().await?))
}

fn told(error: &ApiError) -> anyhow::Error {
    anyhow::anyhow!("the profile cannot be read: {}", error.code())
}

async fn write_weights(pool: &PgPool, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    archive.text("weights.csv").await;
    archive.bytes(format!("{UTF_8}date,weight_g\r\n")).await;
    let mut before = None;
    loop {
        let page = profile::list_weights(pool, user, before, limits::EXPORT_PAGE_ROWS).await?;
        let Some(last) = page.last() else { return Ok(()) };
        before = Some(last.date);
        let lines: String = page.iter().map(|it| format!("{},{}\r\n", it.date, it.weight_g)).collect();
        archive.bytes(lines).await;
    }
}

async fn write_waters(pool: &PgPool, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    archive.text("water.csv").await;
    archive.bytes(format!("{UTF_8}date,water_ml\r\n")).await;
    let mut before = None;
    loop {
        let page = meals::diary::list_waters(pool, user, before, limits::EXPORT_PAGE_ROWS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        before = Some(*last);
        let lines: String = page.iter().map(|(date, water_ml)| format!("{date},{water_ml}\r\n")).collect();
        archive.bytes(lines).await;
    }
}

/// A line for each verdict, and one for each challenge that has none.
async fn write_challenges(pool: &PgPool, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    archive.text("challenges.csv").await;
    let head = "challenge,title,state,starts_at,ends_at,nickname,status,lives_left,points,rank,day,verdict,day_points,\
                judged_at";
    archive.bytes(format!("{UTF_8}{head}\r\n")).await;
    let mut after = (Uuid::nil(), 0_i16);
    loop {
        let page = sqlx::query!(
            r#"select c.id, c.title, c.status, c.starts_at, c.ends_at, s.nickname,
                      s.status as "standing_status!", s.standing as "standing: Json<Standing>",
                      o.rank as "rank?", coalesce(v.day, 0::smallint) as "day!", v.verdict as "verdict?",
                      v.points as "points?", v.judged_at as "judged_at?"
               from standings s join challenges c on c.id = s.challenge_id
               left join outcomes o on o.challenge_id = s.challenge_id and o.user_id = s.user_id
               left join verdicts v on v.challenge_id = s.challenge_id and v.user_id = s.user_id
               where s.user_id = $1 and (c.id, coalesce(v.day, 0::smallint)) > ($2, $3)
               order by c.id, coalesce(v.day, 0::smallint) limit $4"#,
            user.0,
            after.0,
            after.1,
            i64::from(limits::EXPORT_PAGE_ROWS)
        )
        .fetch_all(pool)
        .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.id, last.day);
        for row in page {
            let instant = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
            let line = line(&[
                row.id.to_string(),
                row.title,
                row.status,
                instant(row.starts_at),
                instant(row.ends_at),
                row.nickname,
                row.standing_status,
                row.standing.lives_left.to_string(),
                row.standing.points.to_string(),
                number(row.rank),
                number(row.verdict.is_some().then_some(i32::from(row.day))),
                row.verdict.unwrap_or_default(),
                number(row.points),
                row.judged_at.map(instant).unwrap_or_default(),
            ]);
            archive.bytes(line).await;
        }
    }
}

/// The same meals twice: for spreadsheets, and whole for programs.
async fn write_meals(pool: &PgPool, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    archive.text("meals.csv").await;
    let head =
        "id,kind,state,eaten_at,zone,local_date,note,energy_kcal,carbohydrate_mg,protein_mg,fat_mg,logged_at,edited_at";
    archive.bytes(format!("{UTF_8}{head}\r\n")).await;
    let mut after = None;
    loop {
        let page = meals::list_all(pool, user, after, limits::EXPORT_PAGE_ROWS).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.id);
        for (meal, _) in page {
            let amount = |mg: Option<u32>| mg.map(|mg| mg.to_string()).unwrap_or_default();
            let line = line(&[
                meal.id.to_string(),
                meal.kind.as_str().to_owned(),
                meal.state.as_str().to_owned(),
                meal.eaten_at.to_rfc3339(),
                meal.zone.name().to_owned(),
                meal.local_date.to_string(),
                meal.note,
                meal.amounts.energy_kcal.to_string(),
                amount(meal.amounts.carbohydrate_mg),
                amount(meal.amounts.protein_mg),
                amount(meal.amounts.fat_mg),
                meal.logged_at.to_rfc3339(),
                meal.edited_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
            ]);
            archive.bytes(line).await;
        }
    }
    write_json(archive, "meals.json", |after| {
        Box::pin(async move {
            let page = meals::list_all(pool, user, after, limits::EXPORT_PAGE_ROWS).await?;
            Ok(page.into_iter().map(|(meal, _)| (meal.id, meal)).collect())
        })
    })
    .await
}

async fn write_foods(pool: &PgPool, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    write_json(archive, "foods.json", |before: Option<String>| {
        Box::pin(async move {
            let page = foods::list_own(pool, user, before, limits::EXPORT_PAGE_ROWS).await?;
            Ok(page.into_iter().map(|food| (food.id.clone(), food)).collect())
        })
    })
    .await
}

/// What was seen on photos, with the answers as they came.
async fn write_analyses(pool: &PgPool, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    write_json(archive, "analyses.json", |after| {
        Box::pin(async move {
            let page = meals::list_analyses(pool, user, after, limits::EXPORT_PAGE_ROWS).await?;
            Ok(page.into_iter().map(|told| (told.id, told)).collect())
        })
    })
    .await
}

/// An array that is read page by page, each from where the one before has ended.
async fn write_json<'a, K, T: Serialize>(
    archive: &Archive,
    name: &str,
    read: impl Fn(Option<K>) -> BoxFuture<'a, anyhow::Result<Vec<(K, T)>>>,
) -> anyhow::Result<()> {
    archive.text(name).await;
    let (mut after, mut between, mut is_empty) = (None, "[\n", true);
    loop {
        let page = read(after).await?;
        let mut last = None;
        for (key, item) in page {
            archive.bytes(Bytes::from_static(between.as_bytes())).await;
            archive.bytes(serde_json::to_vec(&item)?).await;
            (last, between, is_empty) = (Some(key), ",\n", false);
        }
        if last.is_none() {
            break;
        }
        after = last;
    }
    archive.bytes(if is_empty { "[]\n" } else { "\n]\n" }).await;
    Ok(())
}

async fn write_pictures(app: &App, user: UserId, archive: &Archive) -> anyhow::Result<()> {
    let pool = &app.db.jobs;
    if let Some(own) = super::picture::load(pool, user, user).await? {
        write_picture(app, "picture.jpg".to_owned(), &own, archive).await?;
    }
    let mut after = None;
    loop {
        let page = meals::list_all(pool, user, after, limits::EXPORT_PAGE_ROWS).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for (meal, photo) in page {
            if let Some(photo) = photo {
                write_picture(app, format!("photos/{}.jpg", meal.id), &photo, archive).await?;
            }
        }
    }
}

/// One that was deleted meanwhile is left out.
async fn write_picture(app: &App, name: String, stored: &StoredPhoto, archive: &Archive) -> anyhow::Result<()> {
    if let Some(jpeg) = app.media.get(&stored.key()?, Size::Large).await? {
        archive.picture(name, jpeg).await;
    }
    Ok(())
}

/// A line of CSV (RFC 4180).
fn line(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| {
        let field = harmless(field);
        if field.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

/// Spreadsheets take a text that begins like this for a formula, and titles are others' words: an apostrophe keeps it a text.
fn harmless(field: &str) -> Cow<'_, str> {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<i64>().is_err();
    if is_formula { format!("'{field}").into() } else { field.into() }
}
