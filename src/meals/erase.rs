//! Erasing the diary of an account that is gone.

use lastbite_protocol::UserId;
use sqlx::types::Json;

use crate::{App, media::StoredPhoto};

/// Meals erased at a time.
const AT_ONCE: i64 = 200;

/// Deletes all meals of a user, and every size of their photos. A photo goes before the row that names it.
///
/// # Errors
/// Postgres or the store of the photos is away; what was not erased can be tried again.
pub async fn erase(app: &App, user: UserId) -> anyhow::Result<()> {
    loop {
        let meals = sqlx::query!(
            r#"select id, photo as "photo: Json<StoredPhoto>" from meals where user_id = $1 order by id limit $2"#,
            user.0,
            AT_ONCE
        )
        .fetch_all(&app.db.jobs)
        .await?;
        if meals.is_empty() {
            return Ok(());
        }
        for photo in meals.iter().filter_map(|meal| meal.photo.as_ref()) {
            app.media.delete(&photo.key()?).await?;
        }
        let ids: Vec<_> = meals.into_iter().map(|meal| meal.id).collect();
        sqlx::query!("delete from meals where id = any($1)", &ids).execute(&app.db.jobs).await?;
    }
}
