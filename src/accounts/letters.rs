//! Letters with a code: what they say, and the job that makes the code and sends them.
//!
//! The code is made when the letter is sent, not when it is asked for: so it stands in no queue, and no address does.

use chrono::{DateTime, TimeDelta, Utc};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use lastbite_protocol::{UserId, rest::Language};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::store;
use crate::{
    App,
    auth::Keys,
    limits,
    mail::{Letter, MailError},
};

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    VerifyEmail,
    ResetPassword,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

/// Sends a code to a user, if there is one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SendCode {
    pub(super) user: UserId,
    pub(super) purpose: Purpose,
}

impl TaskHandler for SendCode {
    const IDENTIFIER: &'static str = "send_code";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let app = context.get_ext::<App>().ok_or_else(|| "the worker has no app".to_owned())?;
        self.send(app).await.map_err(|error| format!("{error:#}"))
    }
}

impl SendCode {
    async fn send(self, app: &App) -> anyhow::Result<()> {
        let Some(user) = store::load(&app.db.auth, self.user).await? else { return Ok(()) };
        let account = user.account;
        let pointless = user.is_blocked || (self.purpose == Purpose::VerifyEmail && account.email_verified);
        let Some(to) = account.email.filter(|_| !pointless) else { return Ok(()) };
        let code = format!("{:06}", rand::random_range(0..1_000_000));
        let hash = hash(&app.auth.keys, account.id, self.purpose, &code);
        if !keep(&app.db.auth, account.id, self.purpose, &hash, &to, app.clock.wall()).await? {
            tracing::info!(user = %account.id, "no more letters to this user within the hour");
            return Ok(());
        }
        let (subject, text) = words(self.purpose, account.language, &account.nickname, &code);
        match app.mail.send(Letter { to, subject, text }).await {
            Err(MailError::Address(error)) => {
                tracing::info!(user = %account.id, "a letter cannot be delivered: {error:#}");
                Ok(())
            }
            Err(error) => {
                // The job comes again, and what it tries is no letter more.
                give_back(&app.db.auth, account.id, self.purpose).await?;
                Err(error.into())
            }
            Ok(()) => Ok(()),
        }
    }
}

fn hash(keys: &Keys, user: UserId, purpose: Purpose, code: &str) -> Vec<u8> {
    let of = [user.0.as_bytes().as_slice(), code.as_bytes()].concat();
    keys.secret(purpose.as_str(), &of).to_vec()
}

/// Keeps the newest code. Answers whether one more letter may be sent.
async fn keep(
    pool: &PgPool,
    user: UserId,
    purpose: Purpose,
    hash: &[u8],
    to: &str,
    wall: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let kept = sqlx::query!(
        "insert into codes as c (user_id, purpose, hash, sent_to, expires_at, tries_left, hour_began, sent_in_hour)
         values ($1, $2, $3, $4, $5, $6, $7, 1)
         on conflict (user_id, purpose) do update
         set hash = excluded.hash, sent_to = excluded.sent_to, expires_at = excluded.expires_at,
             tries_left = excluded.tries_left,
             hour_began = case when c.hour_began > $8 then c.hour_began else excluded.hour_began end,
             sent_in_hour = case when c.hour_began > $8 then c.sent_in_hour + 1 else 1 end
         where c.hour_began <= $8 or c.sent_in_hour < $9",
        user.0,
        purpose.as_str(),
        hash,
        to,
        wall + limits::CODE_LIFETIME,
        limits::CODE_TRIES_MAX,
        wall,
        wall - TimeDelta::hours(1),
        limits::CODES_PER_HOUR_MAX
    )
    .execute(pool)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// A letter that was not sent is not counted.
async fn give_back(pool: &PgPool, user: UserId, purpose: Purpose) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update codes set sent_in_hour = greatest(sent_in_hour - 1, 0) where user_id = $1 and purpose = $2",
        user.0,
        purpose.as_str()
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Spends a try, and the code if it is the right one. Answers the address it was sent to.
pub(super) async fn spend(
    pool: &PgPool,
    keys: &Keys,
    user: UserId,
    purpose: Purpose,
    code: &str,
    wall: DateTime<Utc>,
) -> Result<Option<String>, sqlx::Error> {
    // The try is spent whatever comes of it, and before anything is compared: many at once have five tries together.
    let tried = sqlx::query!(
        "update codes set tries_left = tries_left - 1
         where user_id = $1 and purpose = $2 and tries_left > 0 and expires_at > $3 returning hash, sent_to",
        user.0,
        purpose.as_str(),
        wall
    )
    .fetch_optional(pool)
    .await?;
    // Both are MACs: whoever compares them byte by byte learns nothing of the code.
    let Some(tried) = tried.filter(|tried| tried.hash == hash(keys, user, purpose, code)) else { return Ok(None) };
    let spent = sqlx::query!(
        "update codes set tries_left = 0, expires_at = $3 where user_id = $1 and purpose = $2 and hash = $4
         and expires_at > $3",
        user.0,
        purpose.as_str(),
        wall,
        tried.hash
    )
    .execute(pool)
    .await?;
    Ok((spent.rows_affected() == 1).then_some(tried.sent_to))
}

fn words(purpose: Purpose, language: Language, nickname: &str, code: &str) -> (String, String) {
    let minutes = limits::CODE_LIFETIME.as_secs() / 60;
    match (purpose, language) {
        (Purpose::VerifyEmail, Language::Ko) => (
            format!("[Lastbite] 이메일 확인 코드 {code}"),
            format!(
                "{nickname}님, 안녕하세요.\n\nLastbite에 아래 코드를 입력하면 이메일 확인이 끝납니다.\n\n    {code}\n\n\
                 코드는 {minutes}분 동안 한 번만 쓸 수 있습니다.\n가입한 적이 없다면 이 편지는 무시하셔도 됩니다.\n"
            ),
        ),
        (Purpose::VerifyEmail, Language::En) => (
            format!("[Lastbite] Your code is {code}"),
            format!(
                "Hello {nickname},\n\nenter this code in Lastbite to show that your mail arrives:\n\n    {code}\n\n\
                 It is good once, for {minutes} minutes.\nIf you have not signed up, you can ignore this letter.\n"
            ),
        ),
        (Purpose::ResetPassword, Language::Ko) => (
            format!("[Lastbite] 비밀번호 재설정 코드 {code}"),
            format!(
                "{nickname}님, 안녕하세요.\n\n새 비밀번호를 정하려면 Lastbite에 아래 코드를 입력하세요.\n\n    {code}\n\n\
                 코드는 {minutes}분 동안 한 번만 쓸 수 있습니다. 비밀번호를 바꾸면 모든 기기에서 로그아웃됩니다.\n\
                 요청한 적이 없다면 이 편지는 무시하세요. 비밀번호는 그대로입니다.\n"
            ),
        ),
        (Purpose::ResetPassword, Language::En) => (
            format!("[Lastbite] Your code for a new password is {code}"),
            format!(
                "Hello {nickname},\n\nenter this code in Lastbite to set a new password:\n\n    {code}\n\n\
                 It is good once, for {minutes} minutes. A new password logs you out on all devices.\n\
                 If you have not asked for it, ignore this letter: your password stays as it is.\n"
            ),
        ),
    }
}
