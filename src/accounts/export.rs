//! Exports of all that is one's own: asked for, written by a job, fetched with a link, and gone after a day.
//!
//! What stands in one is in `belongings`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use lastbite_protocol::{
    UserId,
    rest::{Export, ExportState},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{belongings, store};
use crate::{
    App,
    auth::{Caller, Keys, links},
    error::{ApiError, ApiResult},
    jobs, limits,
    media::ArchiveKey,
};

/// What links of exports are signed for.
const LINK: &str = "export";

struct ExportRow {
    id: Uuid,
    asked_at: DateTime<Utc>,
    ready_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

impl ExportRow {
    fn into_export(self, keys: &Keys, wall: DateTime<Utc>) -> Export {
        let state = match self.expires_at {
            None => ExportState::Waiting,
            Some(at) if at > wall => ExportState::Ready,
            Some(_) => ExportState::Expired,
        };
        let good_until = self.expires_at.filter(|_| state == ExportState::Ready);
        Export {
            state,
            asked_at: self.asked_at,
            ready_at: self.ready_at,
            expires_at: self.expires_at,
            url: good_until.map(|until| format!("/exports/{}", links::sign(keys, LINK, self.id.as_bytes(), until))),
        }
    }
}

/// Asks for an export. While one is being written there is no other.
pub(super) async fn ask(app: &App, caller: Caller) -> ApiResult<()> {
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, caller.user).await? {
        return Err(ApiError::not_found("account"));
    }
    if load_newest(&mut *tx, caller.user).await?.is_some_and(|newest| newest.ready_at.is_none()) {
        return Ok(());
    }
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into exports (id, user_id, key, asked_at) values ($1, $2, $3, $4)",
        id,
        caller.user.0,
        ArchiveKey::random().to_string(),
        app.clock.wall()
    )
    .execute(&mut *tx)
    .await?;
    jobs::enqueue(&mut tx, &WriteExport { export: id }, None).await?;
    tx.commit().await?;
    Ok(())
}

/// The export that was asked for last.
pub(super) async fn newest(app: &App, caller: Caller) -> ApiResult<Export> {
    let found = load_newest(&app.db.auth, caller.user).await?.ok_or_else(|| ApiError::not_found("export"))?;
    Ok(found.into_export(&app.auth.keys, app.clock.wall()))
}

async fn load_newest(db: impl PgExecutor<'_>, user: UserId) -> Result<Option<ExportRow>, sqlx::Error> {
    sqlx::query_as!(
        ExportRow,
        "select id, asked_at, ready_at, expires_at from exports where user_id = $1 order by asked_at desc, id desc limit 1",
        user.0
    )
    .fetch_optional(db)
    .await
}

/// The export that a token of ours names, while it is good.
fn check(keys: &Keys, token: &str, wall: DateTime<Utc>) -> Option<Uuid> {
    let (export, _) = links::check(keys, LINK, token, wall)?;
    Uuid::from_slice(&export).ok()
}

/// The length and the bytes of the export that a link names.
pub(super) async fn open(app: &App, token: &str) -> ApiResult<(u64, BoxStream<'static, object_store::Result<Bytes>>)> {
    let (missing, wall) = (|| ApiError::not_found("export"), app.clock.wall());
    let export = check(&app.auth.keys, token, wall).ok_or_else(missing)?;
    let key = sqlx::query_scalar!("select key from exports where id = $1 and expires_at > $2", export, wall)
        .fetch_optional(&app.db.auth)
        .await?
        .ok_or_else(missing)?;
    let key: ArchiveKey = key.parse().map_err(anyhow::Error::from)?;
    app.media.get_archive(&key).await?.ok_or_else(missing)
}

/// Writes an export that was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WriteExport {
    export: Uuid,
}

impl TaskHandler for WriteExport {
    const IDENTIFIER: &'static str = "write_export";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let app = context.get_ext::<App>().ok_or_else(|| "the worker has no app".to_owned())?;
        let writing = tokio::time::timeout(limits::EXPORT_TIME_MAX, Box::pin(self.write(app)));
        match writing.await {
            Ok(written) => written.map_err(|error| format!("{error:#}")),
            Err(_) => Err("the export took too long".to_owned()),
        }
    }
}

impl WriteExport {
    async fn write(self, app: &App) -> anyhow::Result<()> {
        let row = sqlx::query!("select user_id, key from exports where id = $1 and ready_at is null", self.export)
            .fetch_optional(&app.db.jobs)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let Some(file) = belongings::write(app, row.user_id.into()).await? else { return Ok(()) };
        let key: ArchiveKey = row.key.parse()?;
        app.media.put_archive(&key, tokio::fs::File::from_std(file)).await?;
        let wall = app.clock.wall();
        let ready = sqlx::query!(
            "update exports set ready_at = $2, expires_at = $3 where id = $1 and ready_at is null",
            self.export,
            wall,
            wall + limits::EXPORT_LIFETIME
        )
        .execute(&app.db.jobs)
        .await?;
        if ready.rows_affected() == 0 && !is_known(app, self.export).await? {
            // Given up meanwhile.
            app.media.delete_archive(&key).await?;
        }
        Ok(())
    }
}

async fn is_known(app: &App, export: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select exists (select from exports where id = $1) as "known!""#, export)
        .fetch_one(&app.db.jobs)
        .await
}

/// Removes all exports of a user. The object goes before its row.
pub(super) async fn erase(app: &App, user: UserId) -> anyhow::Result<()> {
    let rows = sqlx::query!("select id, key from exports where user_id = $1", user.0).fetch_all(&app.db.jobs).await?;
    for row in rows {
        remove(app, &app.db.jobs, row.id, &row.key).await?;
    }
    Ok(())
}

async fn remove(app: &App, pool: &PgPool, export: Uuid, key: &str) -> anyhow::Result<()> {
    app.media.delete_archive(&key.parse()?).await?;
    sqlx::query!("delete from exports where id = $1", export).execute(pool).await?;
    Ok(())
}

/// Removes exports that have expired, and gives up those that were never written.
pub(super) async fn forget_old(app: &App) -> anyhow::Result<()> {
    let wall = app.clock.wall();
    let old = sqlx::query!(
        "select id, key from exports where expires_at <= $1 or (ready_at is null and asked_at <= $2)
         order by asked_at limit $3",
        wall,
        wall - limits::EXPORT_WAITS_MAX,
        limits::EXPORTS_FORGOTTEN_AT_ONCE
    )
    .fetch_all(&app.db.auth)
    .await?;
    for row in old {
        remove(app, &app.db.auth, row.id, &row.key).await?;
    }
    Ok(())
}
