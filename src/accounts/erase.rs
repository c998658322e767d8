//! Deleting an account. What signs in is gone in the transaction that says yes; the rest is erased by a job soon after:
//! photos, meals, what verdicts saw, names on boards and in streams. What was played stays, by a player who has withdrawn.

use std::net::IpAddr;

use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use lastbite_protocol::{UserId, rest::DeleteAccount};
use serde::{Deserialize, Serialize};

use super::{
    export,
    sessions::{self, Why},
    signing, store,
};
use crate::{
    App,
    auth::Caller,
    challenges,
    db::Tx,
    error::{ApiError, ApiResult},
    foods, idempotency, jobs,
    journal::{self, StreamId},
    limits, meals, photos,
};

/// Deletes the caller's account.
pub(super) async fn delete(app: &App, caller: Caller, address: IpAddr, wish: DeleteAccount) -> ApiResult<()> {
    let found = store::load(&app.db.auth, caller.user).await?.ok_or_else(|| ApiError::not_found("account"))?;
    signing::check_again(app, caller, address, &found, wish.password).await?;
    let wall = app.clock.wall();
    let mut tx = app.db.auth.begin().await?;
    if !store::lock(&mut tx, caller.user).await? {
        return Err(ApiError::not_found("account"));
    }
    let ended = sessions::end_all(&mut tx, caller.user, None, Why::Deleted, wall).await?;
    store::empty(&mut tx, caller.user, wall).await?;
    put_down(&mut tx, caller.user).await?;
    tx.commit().await?;
    app.auth.live.end(ended.into_iter().map(|session| (caller.user, session)));
    Ok(())
}

async fn put_down(tx: &mut Tx, user: UserId) -> anyhow::Result<()> {
    jobs::enqueue(tx, &EraseAccount { user }, Some(&format!("erase:{user}"))).await
}

/// Puts the job down again for whom it was given up: nobody else would ask for it.
pub(super) async fn remind(app: &App) -> anyhow::Result<()> {
    let long_ago = app.clock.wall() - limits::ERASURE_WAITS_MAX;
    for user in store::list_unerased(&app.db.auth, long_ago).await? {
        tracing::warn!(%user, "a deleted account is not erased yet; trying again");
        let mut tx = app.db.auth.begin().await?;
        put_down(&mut tx, user).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Erases what a deleted account has left behind. Done twice, it finds nothing the second time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EraseAccount {
    user: UserId,
}

impl TaskHandler for EraseAccount {
    const IDENTIFIER: &'static str = "erase_account";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let app = context.get_ext::<App>().ok_or_else(|| "the worker has no app".to_owned())?;
        self.erase(app).await.map_err(|error| format!("{error:#}"))
    }
}

impl EraseAccount {
    async fn erase(self, app: &App) -> anyhow::Result<()> {
        let user = self.user;
        // Whoever holds the stream began before the account was gone; whoever comes after finds no account.
        journal::lock(app.db.jobs.begin().await?, [StreamId::User(user)]).await?.tx.rollback().await?;
        // Files first: should one not go, the job is tried again, and the row still names it.
        export::erase(app, user).await?;
        photos::erase(app, user).await?;
        meals::erase(app, user).await?;
        for challenge in challenges::played_by(&app.db.jobs, user).await? {
            let tx = app.db.jobs.begin().await?;
            let mut journal = journal::lock(tx, [StreamId::Challenge(challenge)]).await?;
            journal.withdraw(challenge, user, app.clock.now()).await?;
            challenges::erase(&mut journal.tx, challenge, user).await?;
            journal.commit(&app.bus).await?;
        }
        let mut tx = app.db.jobs.begin().await?;
        journal::forget_user(&mut tx, user).await?;
        foods::erase(&mut tx, user).await?;
        idempotency::forget_user(&mut tx, user).await?;
        store::erase(&mut tx, user, app.clock.wall()).await?;
        tx.commit().await?;
        tracing::info!(%user, "a deleted account was erased");
        Ok(())
    }
}
