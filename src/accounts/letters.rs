//! Letters with a code: what they say, and the job that makes the code and sends them.
//!
//! The code is made when the letter is sent, not when it is asked for: so it stands in no queue, and no address does.

use chrono::{DateTime, TimeDelta, Utc};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use lastbite_protocol::{UserId, rest::Language};
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, PgPool};

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
    /// A new code. Six digits for who is signed in and has five tries; for who is not, eight signs, because strangers have tries
    /// as well.
    fn draw(self) -> String {
        /// Without what looks alike: 31 signs, 8.5 × 10¹¹ codes.
        const SIGNS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
        match self {
            Self::VerifyEmail => format!("{:06}", rand::random_range(0..1_000_000)),
            Self::ResetPassword => (0..8).map(|_| char::from(SIGNS[rand::random_range(0..SIGNS.len())])).collect(),
        }
    }

    /// How many wrong ones a code bears. Those of strangers are counted for each network, by [`super::guesses`].
    const fn tries_max(self) -> i16 {
        match self {
            Self::VerifyEmail => limits::CODE_TRIES_MAX,
            Self::ResetPassword => i16::MAX,
        }
    }

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
    /// Asked for by the owner, from where the owner is signed in.
    #[serde(default)]
    pub(super) is_known: bool,
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
        let code = self.purpose.draw();
        let hash = hash(&app.auth.keys, account.id, self.purpose, &code);
        if !self.keep(&app.db.auth, &hash, &to, app.clock.wall()).await? {
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
                self.give_back(&app.db.auth).await?;
                Err(error.into())
            }
            Ok(()) => Ok(()),
        }
    }
    /// Keeps the newest code. Answers whether one more letter may be sent: those that strangers ask for and those that the
    /// owner does are counted apart.
    async fn keep(&self, pool: &PgPool, hash: &[u8], to: &str, wall: DateTime<Utc>) -> Result<bool, sqlx::Error> {
        let kept = sqlx::query!(
            "insert into codes as c (user_id, purpose, hash, sent_to, expires_at, tries_left, hour_began, sent_in_hour,
                                     sent_to_owner_in_hour)
             values ($1, $2, $3, $4, $5, $6, $7, 1 - $10::int, $10::int)
             on conflict (user_id, purpose) do update
             set hash = excluded.hash, sent_to = excluded.sent_to, expires_at = excluded.expires_at,
                 tries_left = excluded.tries_left,
                 hour_began = case when c.hour_began > $8 then c.hour_began else excluded.hour_began end,
                 sent_in_hour = case when c.hour_began > $8 then c.sent_in_hour else 0 end + excluded.sent_in_hour,
                 sent_to_owner_in_hour = case when c.hour_began > $8 then c.sent_to_owner_in_hour else 0 end
                     + excluded.sent_to_owner_in_hour
             where c.hour_began <= $8 or case when $10 = 1 then c.sent_to_owner_in_hour else c.sent_in_hour end < $9",
            self.user.0,
            self.purpose.as_str(),
            hash,
            to,
            wall + limits::CODE_LIFETIME,
            self.purpose.tries_max(),
            wall,
            wall - TimeDelta::hours(1),
            limits::CODES_PER_HOUR_MAX,
            i32::from(self.is_known)
        )
        .execute(pool)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// A letter that was not sent is not counted.
    async fn give_back(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "update codes set sent_in_hour = greatest(sent_in_hour - (1 - $3::int), 0),
                              sent_to_owner_in_hour = greatest(sent_to_owner_in_hour - $3::int, 0)
             where user_id = $1 and purpose = $2",
            self.user.0,
            self.purpose.as_str(),
            i32::from(self.is_known)
        )
        .execute(pool)
        .await?;
        Ok(())
    }
}

fn hash(keys: &Keys, user: UserId, purpose: Purpose, code: &str) -> Vec<u8> {
    let of = [user.0.as_bytes().as_slice(), code.as_bytes()].concat();
    keys.secret(purpose.as_str(), &of).to_vec()
}

/// A code that is the right one, and not spent yet.
pub(super) struct RightCode {
    user: UserId,
    purpose: Purpose,
    hash: Vec<u8>,
    /// The address that it was sent to.
    pub(super) sent_to: String,
}

/// Spends a try. Answers the code if it is the right one.
pub(super) async fn try_code(
    pool: &PgPool,
    keys: &Keys,
    user: UserId,
    purpose: Purpose,
    code: &str,
    wall: DateTime<Utc>,
) -> Result<Option<RightCode>, sqlx::Error> {
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
    let right = tried.filter(|tried| tried.hash == hash(keys, user, purpose, code));
    Ok(right.map(|tried| RightCode { user, purpose, hash: tried.hash, sent_to: tried.sent_to }))
}

impl RightCode {
    /// Spends it. Answers whether nobody did before.
    pub(super) async fn spend(&self, db: impl PgExecutor<'_>, wall: DateTime<Utc>) -> Result<bool, sqlx::Error> {
        let spent = sqlx::query!(
            "update codes set tries_left = 0, expires_at = $3 where user_id = $1 and purpose = $2 and hash = $4
             and expires_at > $3",
            self.user.0,
            self.purpose.as_str(),
            wall,
            self.hash
        )
        .execute(db)
        .await?;
        Ok(spent.rows_affected() == 1)
    }
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
