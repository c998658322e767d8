//! Letters on their way out: by SMTP, or in development as files in a folder.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use uuid::Uuid;

/// The whole of a delivery; a server that needs longer is tried again later.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends letters. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Mail {
    from: Mailbox,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// What is sent to whom.
#[derive(Clone, Debug)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// Whether a letter can ever be delivered.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address is none that mail knows: trying again does not help.
    #[error("the letter cannot be addressed")]
    Address(#[source] anyhow::Error),
    #[error("the letter was not taken")]
    NotSent(#[source] anyhow::Error),
}

impl Mail {
    /// By the SMTP server of this URL, `smtp://user:password@host:587?tls=required`.
    ///
    /// # Errors
    /// The URL or the sender's address cannot be read.
    pub fn smtp(url: &str, from: &str) -> anyhow::Result<Self> {
        let way = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(SEND_TIMEOUT)).build();
        Ok(Self { from: from.parse().context("the sender's address")?, way: Way::Smtp(way) })
    }

    /// Into a folder, a file for each letter.
    ///
    /// # Errors
    /// The folder cannot be made, or the sender's address cannot be read.
    pub fn folder(folder: PathBuf, from: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder).with_context(|| format!("the folder of letters, {}", folder.display()))?;
        Ok(Self { from: from.parse().context("the sender's address")?, way: Way::Folder(folder) })
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let addressed = || {
            let message = Message::builder().from(self.from.clone()).to(letter.to.parse()?).subject(letter.subject);
            anyhow::Ok(message.header(ContentType::TEXT_PLAIN).body(letter.text)?)
        };
        let message = addressed().map_err(MailError::Address)?;
        match &self.way {
            Way::Smtp(smtp) => match tokio::time::timeout(SEND_TIMEOUT, smtp.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) if is_about_the_address(&error) => Err(MailError::Address(told(error))),
                Ok(Err(error)) => Err(MailError::NotSent(told(error))),
                Err(late) => Err(MailError::NotSent(late.into())),
            },
            Way::Folder(folder) => {
                let file = folder.join(format!("{}.eml", Uuid::now_v7()));
                tokio::fs::write(&file, message.formatted()).await.map_err(|error| MailError::NotSent(error.into()))?;
                tracing::info!(file = %file.display(), "a letter was written");
                Ok(())
            }
        }
    }
}

/// Without the words of the other side: they may name the recipient, and addresses are for no log.
fn told(error: lettre::transport::smtp::Error) -> anyhow::Error {
    match error.status() {
        Some(code) => anyhow::anyhow!("the server of mail answered {code}"),
        None => error.into(),
    }
}

/// Whether the other side knows no such mailbox (RFC 5321, 4.2.3). What it has against us, such as our password, is to be
/// mended and the letter sent then.
fn is_about_the_address(error: &lettre::transport::smtp::Error) -> bool {
    error.status().is_some_and(|code| ["550", "551", "553"].contains(&code.to_string().as_str()))
}

/// What is wrong with the settings of mail.
#[must_use]
pub fn faults(smtp_url: Option<&str>, from: &str, must_be_private: bool) -> Vec<String> {
    let mut faults = Vec::new();
    if from.parse::<Mailbox>().is_err() {
        faults.push("LASTBITE_MAIL_FROM is no address such as Lastbite <no-reply@lastbite.example>".to_owned());
    }
    let Some(url) = smtp_url else { return faults };
    if AsyncSmtpTransport::<Tokio1Executor>::from_url(url).is_err() {
        faults.push("LASTBITE_SMTP_URL is no URL such as smtp://user:password@host:587?tls=required".to_owned());
    } else if must_be_private && !is_private(url) {
        faults.push("LASTBITE_SMTP_URL has no tls=required: passwords and codes would go in plain text".to_owned());
    }
    faults
}

/// Encrypted, or within this machine.
fn is_private(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        url.scheme() == "smtps"
            || url.query_pairs().any(|(name, value)| name == "tls" && value == "required")
            || url.host_str().is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host))
    })
}
