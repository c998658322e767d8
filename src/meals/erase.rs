//! Erasing the diary of an account that is gone.

use lastbite_protocol::UserId;

use super::{analyses, diary};
use crate::App;

/// Meals erased at a time.
const AT_ONCE: i64 = 200;

/// Deletes all meals of a user, and what was seen on photos; their photos have gone before.
///
/// # Errors
/// Postgres is away; what was not erased can be tried again.
pub async fn erase(app: &App, user: UserId) -> anyhow::Result<()> {
    analyses::erase(&app.db.jobs, user).await?;
    diary::erase(&app.db.jobs, user).await?;
    loop {
        let ids = sqlx::query_scalar!("select id from meals where user_id = $1 order by id limit $2", user.0, AT_ONCE)
            .fetch_all(&app.db.jobs)
            .await?;
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query!("delete from meals where id = any($1)", &ids).execute(&app.db.jobs).await?;
    }
}
