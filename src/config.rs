//! The configuration: one clap struct, from flags and `LASTBITE_*`; the only reader of the environment.
//!
//! Secrets print as `***`. [`Config::check`] says everything that must not go into production.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use crate::{auth::SigningSeed, mail};

pub mod bucket;
pub mod eyes;
pub mod products;
pub mod providers;

use bucket::{Bucket, Storage};
use eyes::Eye;
use products::Catalogue;
use providers::Provider;

/// Nobody's: production has its own.
const MAIL_FROM_DEFAULT: &str = "Lastbite <no-reply@lastbite.example>";

/// How the server runs. Every flag can be given as an environment variable too.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// `production` refuses to start with anything that is only good for trying things out.
    #[arg(long, env = "LASTBITE_ENVIRONMENT", value_enum, default_value_t = Environment::Development, global = true)]
    pub environment: Environment,

    /// Where HTTP and the sockets are served.
    #[arg(long, env = "LASTBITE_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,

    /// How the outside reaches the server, for the ways back from other sign-ins. Never taken from a request.
    #[arg(long, env = "LASTBITE_PUBLIC_URL", default_value = "http://127.0.0.1:8080", global = true)]
    pub public_url: String,

    /// Where metrics are served, apart from the public; none by default.
    #[arg(long, env = "LASTBITE_METRICS_LISTEN", global = true)]
    pub metrics_listen: Option<SocketAddr>,

    /// The Postgres to use, `postgres://…`. Without it the server starts one of its own.
    #[arg(long, env = "LASTBITE_DATABASE_URL", hide_env_values = true, value_parser = secret, global = true)]
    pub database_url: Option<SecretString>,

    /// Where photos without a bucket, the own Postgres and the development key live.
    /// Default: `/var/lib/lastbite` as root, else `lastbite` in the user's data folder.
    #[arg(long, env = "LASTBITE_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,

    #[command(flatten)]
    pub storage: Storage,

    /// The folder of the Postgres binaries, when they are not where they usually are.
    #[arg(long, env = "LASTBITE_PG_BIN_DIR", global = true)]
    pub pg_bin_dir: Option<PathBuf>,

    /// The secret that signs access tokens: 32 random bytes as base64 (`openssl rand -base64 32`).
    /// In development one is made and kept in the data folder.
    #[arg(long, env = "LASTBITE_TOKEN_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub token_key: Option<SecretString>,

    /// The SMTP server that takes letters, `smtp://user:password@host:587?tls=required`. In development they are written
    /// into the data folder instead.
    #[arg(long, env = "LASTBITE_SMTP_URL", hide_env_values = true, value_parser = secret, global = true)]
    pub smtp_url: Option<SecretString>,

    /// From whom letters are.
    #[arg(long, env = "LASTBITE_MAIL_FROM", default_value = MAIL_FROM_DEFAULT, global = true)]
    pub mail_from: String,

    /// Who else vouches for users, as a JSON array: `name`, `issuer`, `client_id`, `client_secret`, and perhaps `scopes`,
    /// `audiences` and, for Kakao, `kakao` with `app_id`, `admin_key` and `api_base`.
    #[arg(long, env = "LASTBITE_OIDC", hide_env_values = true, value_parser = secret, global = true)]
    pub oidc: Option<SecretString>,

    /// Who names the foods on photos, as a JSON array in the order in which they are asked: `{"kind":"openai"}` with `base`,
    /// `model` and perhaps `key`, `{"kind":"google"}` with `key`, `{"kind":"embedded"}`. By default the embedded one alone.
    #[arg(long, env = "LASTBITE_VISION", hide_env_values = true, value_parser = secret, global = true)]
    pub vision: Option<SecretString>,

    /// Open Food Facts, where products are looked up by their barcode; `off` or nothing leaves it out.
    #[arg(long, env = "LASTBITE_PRODUCTS_URL", default_value = products::BASE, global = true)]
    pub products_url: String,

    /// Web pages of other origins that may use the API and the socket, such as `https://app.example.com`.
    #[arg(long, env = "LASTBITE_ALLOWED_ORIGINS", value_delimiter = ',', global = true)]
    pub allowed_origins: Vec<String>,

    /// Proxies whose `X-Real-IP` is believed.
    #[arg(long, env = "LASTBITE_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<IpAddr>,

    /// Sockets that one address may hold open; the default keeps a stranger from taking them all.
    #[arg(
        long,
        env = "LASTBITE_SOCKETS_PER_ADDRESS",
        default_value_t = crate::limits::SOCKETS_PER_ADDRESS_MAX,
        global = true
    )]
    pub sockets_per_address: usize,

    /// Makes all rates of requests so many times as large, for a place whose users share an address.
    #[arg(long, env = "LASTBITE_RATES_FACTOR", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000),
        global = true)]
    pub rates_factor: u32,

    /// What is logged, as `tracing` filters have it.
    #[arg(long, env = "LASTBITE_LOG", default_value = "info,sqlx=warn,hyper=warn", global = true)]
    pub log: String,

    /// How it is logged: for people on a terminal, as JSON otherwise.
    #[arg(long, env = "LASTBITE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto, global = true)]
    pub log_format: LogFormat,

    /// How long a server that is told to stop stays up after it has said that it is not ready, in seconds.
    #[arg(long, env = "LASTBITE_DRAIN_WAIT_S", default_value_t = 0, global = true)]
    pub drain_wait_s: u64,
}

/// What the server is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    Development,
    Production,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

#[expect(clippy::unnecessary_wraps, reason = "clap asks for a parser that can fail")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text.to_owned()))
}

/// What a search for files and programs needs of the environment.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub home: Option<PathBuf>,
    pub data_home: Option<PathBuf>,
    pub cache_home: Option<PathBuf>,
    pub path: Option<std::ffi::OsString>,
}

impl Surroundings {
    /// Reads them.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn read() -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            home: folder("HOME"),
            data_home: folder("XDG_DATA_HOME"),
            cache_home: folder("XDG_CACHE_HOME"),
            path: std::env::var_os("PATH"),
        }
    }
}

impl Config {
    /// Everything that keeps this configuration from its environment. In development little does.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(key) = &self.token_key
            && let Err(fault) = SigningSeed::parse(key.expose_secret())
        {
            faults.push(format!("LASTBITE_TOKEN_KEY: {fault}"));
        }
        if let Err(of_providers) = self.providers() {
            faults.extend(of_providers);
        }
        if let Err(of_eyes) = self.eyes() {
            faults.extend(of_eyes);
        }
        faults.extend(self.catalogue().err());
        if let Err(of_bucket) = self.bucket() {
            faults.extend(of_bucket);
        }
        if !is_origin(&self.public_url) {
            faults.push("LASTBITE_PUBLIC_URL is no origin such as https://lastbite.example".to_owned());
        }
        let is_production = self.environment == Environment::Production;
        let smtp_url = self.smtp_url.as_ref().map(ExposeSecret::expose_secret);
        faults.extend(mail::faults(smtp_url, &self.mail_from, is_production));
        if is_production {
            if self.token_key.is_none() {
                faults.push("LASTBITE_TOKEN_KEY is not set: `openssl rand -base64 32` makes one".to_owned());
            }
            match &self.database_url {
                None => faults.push("LASTBITE_DATABASE_URL is not set: the own Postgres is for trying out".to_owned()),
                Some(url) => faults.extend(weak_database_password(url.expose_secret())),
            }
            if self.smtp_url.is_none() {
                faults.push("LASTBITE_SMTP_URL is not set: nobody would get a letter".to_owned());
            }
            if self.mail_from == MAIL_FROM_DEFAULT {
                faults.push("LASTBITE_MAIL_FROM is not set: letters would come from nobody".to_owned());
            }
            if !self.public_url.starts_with("https://") {
                faults.push("LASTBITE_PUBLIC_URL is not https: sign-ins need it".to_owned());
            }
            if self.data_dir.is_none() && self.storage.media.is_none() {
                faults.push("LASTBITE_DATA_DIR is not set: photos need a place that is backed up".to_owned());
            }
        }
        faults
    }

    /// Who else vouches for users.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn providers(&self) -> Result<Vec<Provider>, Vec<String>> {
        self.oidc.as_ref().map_or(Ok(Vec::new()), |json| providers::parse(json.expose_secret(), self.environment))
    }

    /// Who names the foods on photos.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn eyes(&self) -> Result<Vec<Eye>, Vec<String>> {
        let embedded = || Ok(vec![Eye::Embedded]);
        self.vision.as_ref().map_or_else(embedded, |json| eyes::parse(json.expose_secret(), self.environment))
    }

    /// Who is asked for the product of a barcode.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn catalogue(&self) -> Result<Option<Catalogue>, String> {
        products::parse(&self.products_url, self.environment)
    }

    /// Where photos and exports are, when it is not the data folder.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn bucket(&self) -> Result<Option<Bucket>, Vec<String>> {
        self.storage.bucket(self.environment)
    }

    /// The configuration as lines, secrets masked.
    #[must_use]
    pub fn describe(&self) -> String {
        let masked = |secret: &Option<SecretString>| if secret.is_some() { "***" } else { "(none)" };
        let shown = |value: Option<String>| value.unwrap_or_else(|| "(default)".to_owned());
        let storage = &self.storage;
        // What is wrong could hold a key.
        let as_read = |value: &Option<String>| {
            shown(value.clone().map(|value| self.bucket().map_or("(faulty)".to_owned(), |_| value)))
        };
        [
            ("environment", format!("{:?}", self.environment).to_lowercase()),
            ("listen", self.listen.to_string()),
            ("public_url", self.public_url.clone()),
            ("metrics_listen", shown(self.metrics_listen.map(|address| address.to_string()))),
            ("database_url", masked(&self.database_url).to_owned()),
            ("data_dir", shown(self.data_dir.as_ref().map(|path| path.display().to_string()))),
            ("media", as_read(&storage.media)),
            ("s3_endpoint", as_read(&storage.s3_endpoint)),
            ("s3_region", as_read(&storage.s3_region)),
            ("s3_access_key_id", masked(&storage.s3_access_key_id).to_owned()),
            ("s3_secret_access_key", masked(&storage.s3_secret_access_key).to_owned()),
            ("pg_bin_dir", shown(self.pg_bin_dir.as_ref().map(|path| path.display().to_string()))),
            ("token_key", masked(&self.token_key).to_owned()),
            ("smtp_url", masked(&self.smtp_url).to_owned()),
            ("mail_from", self.mail_from.clone()),
            ("oidc", masked(&self.oidc).to_owned()),
            ("vision", masked(&self.vision).to_owned()),
            ("products_url", self.products_url.clone()),
            ("allowed_origins", self.allowed_origins.join(",")),
            ("trusted_proxies", self.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
            ("sockets_per_address", self.sockets_per_address.to_string()),
            ("rates_factor", self.rates_factor.to_string()),
            ("log", self.log.clone()),
            ("log_format", format!("{:?}", self.log_format).to_lowercase()),
            ("drain_wait_s", self.drain_wait_s.to_string()),
        ]
        .map(|(name, value)| format!("{name:<22}{value}\n"))
        .concat()
    }
}

/// A scheme, a host and perhaps a port, and nothing else.
fn is_origin(url: &str) -> bool {
    reqwest::Url::parse(url)
        .is_ok_and(|parsed| matches!(parsed.scheme(), "http" | "https") && parsed.origin().ascii_serialization() == url)
}

/// Passwords that stand in documentation, or none at all over the network.
fn weak_database_password(url: &str) -> Option<String> {
    const WEAK: [&str; 8] = ["", "postgres", "password", "lastbite", "changeme", "secret", "admin", "123456"];
    let Ok(url) = reqwest::Url::parse(url) else { return Some("LASTBITE_DATABASE_URL is no URL".to_owned()) };
    // What the query names counts, as it does for the connection itself.
    let named =
        |name: &str| url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).last();
    if named("host").is_some_and(|host| host.starts_with('/')) {
        return None;
    }
    let written = || percent_decode_str(url.password().unwrap_or_default()).decode_utf8_lossy().into_owned();
    let password = named("password").unwrap_or_else(written);
    WEAK.contains(&password.to_lowercase().as_str())
        .then(|| "LASTBITE_DATABASE_URL: the password is missing or one that everybody tries first".to_owned())
}
