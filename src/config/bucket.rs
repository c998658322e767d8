//! `LASTBITE_MEDIA` and `LASTBITE_S3_…`: a bucket for photos and exports, instead of the data folder.
//!
//! Whether it is there and takes the key is seen when the server starts.

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{Environment, providers::is_base, secret};

/// What a store with one place only calls it.
const REGION_DEFAULT: &str = "us-east-1";
const PREFIX_CHARS_MAX: usize = 200;

/// Where photos and exports are kept.
#[derive(Args, Clone, Debug)]
pub struct Storage {
    /// The bucket for photos and exports, `s3://bucket` or `s3://bucket/prefix`. By default they are in the data folder.
    #[arg(long, env = "LASTBITE_MEDIA", global = true)]
    pub media: Option<String>,

    /// Where the store of the bucket is, `https://…`, when it is not Amazon's.
    #[arg(long, env = "LASTBITE_S3_ENDPOINT", global = true)]
    pub s3_endpoint: Option<String>,

    /// The region of the bucket. With an endpoint `us-east-1` by default, which most take that have no regions.
    #[arg(long, env = "LASTBITE_S3_REGION", global = true)]
    pub s3_region: Option<String>,

    /// The key that may read, write and delete objects in the bucket.
    #[arg(long, env = "LASTBITE_S3_ACCESS_KEY_ID", hide_env_values = true, value_parser = secret, global = true)]
    pub s3_access_key_id: Option<SecretString>,

    /// Belongs to the key.
    #[arg(long, env = "LASTBITE_S3_SECRET_ACCESS_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub s3_secret_access_key: Option<SecretString>,
}

/// A bucket and the way to it.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    /// What the names of all objects begin with, without slashes at its ends; perhaps empty.
    pub prefix: String,
    /// Amazon's when there is none.
    pub endpoint: Option<String>,
    pub region: String,
    pub access_key_id: SecretString,
    pub secret_access_key: SecretString,
}

impl Storage {
    /// The bucket, if photos are to be in one.
    ///
    /// # Errors
    /// Everything that keeps it from being used. No fault repeats a value: it could be the secret.
    pub fn bucket(&self, environment: Environment) -> Result<Option<Bucket>, Vec<String>> {
        let Some(media) = &self.media else { return self.nothing_else() };
        let (place, mut faults) = (place(media), Vec::new());
        if place.is_none() {
            faults.push("LASTBITE_MEDIA is no s3://bucket or s3://bucket/prefix".to_owned());
        }
        if self.s3_endpoint.as_ref().is_some_and(|url| !is_base(url, environment) || url.ends_with('/')) {
            faults.push(
                "LASTBITE_S3_ENDPOINT is no https URL without a slash at its end (http is for trying out)".to_owned(),
            );
        }
        match (&self.s3_region, &self.s3_endpoint) {
            (None, None) => {
                faults.push("LASTBITE_S3_REGION is not set, and there is no LASTBITE_S3_ENDPOINT".to_owned());
            }
            (Some(region), _) if !is_region(region) => faults.push("LASTBITE_S3_REGION is no region".to_owned()),
            _ => {}
        }
        let mut key = |name: &str, value: &Option<SecretString>| match value {
            None => faults.push(format!("{name} is not set, and LASTBITE_MEDIA names a bucket")),
            Some(key) if !is_key(key) => faults.push(format!("{name} is empty or has spaces")),
            Some(_) => {}
        };
        key("LASTBITE_S3_ACCESS_KEY_ID", &self.s3_access_key_id);
        key("LASTBITE_S3_SECRET_ACCESS_KEY", &self.s3_secret_access_key);
        match (place, &self.s3_access_key_id, &self.s3_secret_access_key) {
            (Some((name, prefix)), Some(id), Some(secret)) if faults.is_empty() => Ok(Some(Bucket {
                name: name.to_owned(),
                prefix: prefix.to_owned(),
                endpoint: self.s3_endpoint.clone(),
                region: self.s3_region.clone().unwrap_or_else(|| REGION_DEFAULT.to_owned()),
                access_key_id: id.clone(),
                secret_access_key: secret.clone(),
            })),
            _ => Err(faults),
        }
    }

    /// Whoever sets the rest means a bucket, and would otherwise find the photos in the folder some day.
    fn nothing_else(&self) -> Result<Option<Bucket>, Vec<String>> {
        let set = [
            ("LASTBITE_S3_ENDPOINT", self.s3_endpoint.is_some()),
            ("LASTBITE_S3_REGION", self.s3_region.is_some()),
            ("LASTBITE_S3_ACCESS_KEY_ID", self.s3_access_key_id.is_some()),
            ("LASTBITE_S3_SECRET_ACCESS_KEY", self.s3_secret_access_key.is_some()),
        ];
        let faults: Vec<_> = set
            .into_iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(name, _)| format!("{name} is set, and LASTBITE_MEDIA names no bucket"))
            .collect();
        if faults.is_empty() { Ok(None) } else { Err(faults) }
    }
}

/// The bucket and the prefix of `s3://bucket/prefix`.
fn place(media: &str) -> Option<(&str, &str)> {
    let place = media.strip_prefix("s3://")?;
    let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
    (is_bucket(name) && (prefix.is_empty() || is_prefix(prefix))).then_some((name, prefix))
}

fn is_bucket(name: &str) -> bool {
    let is_end = |letter: &u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|letter| is_end(letter) || b"-.".contains(letter))
        && bytes.first().is_some_and(is_end)
        && bytes.last().is_some_and(is_end)
}

/// Letters that no URL and no signature writes in another way.
fn is_prefix(prefix: &str) -> bool {
    let letters = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    let folder = |name: &str| !name.is_empty() && !matches!(name, "." | "..") && name.bytes().all(letters);
    prefix.len() <= PREFIX_CHARS_MAX && prefix.split('/').all(folder)
}

fn is_region(region: &str) -> bool {
    (1..=64).contains(&region.len()) && region.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
}

fn is_key(key: &SecretString) -> bool {
    let key = key.expose_secret();
    !key.is_empty() && key.chars().all(|letter| letter.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage() -> Storage {
        Storage {
            media: Some("s3://lastbite-media/of/photos".to_owned()),
            s3_endpoint: Some("https://store.example.com".to_owned()),
            s3_region: None,
            s3_access_key_id: Some("hush-id".to_owned().into()),
            s3_secret_access_key: Some("hush-hush".to_owned().into()),
        }
    }

    fn faults(storage: &Storage, environment: Environment) -> String {
        storage.bucket(environment).expect_err("a fault").join("\n")
    }

    #[test]
    fn a_bucket_is_read_and_its_secret_not_printed() {
        let bucket = storage().bucket(Environment::Production).unwrap().unwrap();
        assert_eq!((&*bucket.name, &*bucket.prefix, &*bucket.region), ("lastbite-media", "of/photos", "us-east-1"));
        assert!(!format!("{bucket:?} {:?}", storage()).contains("hush"));
        let of_amazon = Storage {
            media: Some("s3://lastbite".to_owned()),
            s3_endpoint: None,
            s3_region: Some("ap-northeast-2".to_owned()),
            ..storage()
        };
        let bucket = of_amazon.bucket(Environment::Production).unwrap().unwrap();
        assert_eq!((&*bucket.prefix, bucket.endpoint, &*bucket.region), ("", None, "ap-northeast-2"));
        let nothing =
            Storage { media: None, s3_endpoint: None, s3_access_key_id: None, s3_secret_access_key: None, ..storage() };
        assert!(nothing.bucket(Environment::Production).unwrap().is_none());
    }

    #[test]
    fn what_is_half_configured_or_wrong_is_refused_without_the_secret() {
        let wish = |change: fn(&mut Storage)| {
            let mut wish = storage();
            change(&mut wish);
            wish
        };
        for (storage, reason) in [
            (wish(|it| it.media = None), "LASTBITE_S3_ENDPOINT is set, and LASTBITE_MEDIA names no bucket"),
            (wish(|it| it.media = None), "LASTBITE_S3_SECRET_ACCESS_KEY is set, and LASTBITE_MEDIA names no bucket"),
            (wish(|it| it.s3_access_key_id = None), "LASTBITE_S3_ACCESS_KEY_ID is not set"),
            (wish(|it| it.s3_secret_access_key = None), "LASTBITE_S3_SECRET_ACCESS_KEY is not set"),
            (wish(|it| it.s3_secret_access_key = Some("hush hush".to_owned().into())), "is empty or has spaces"),
            (wish(|it| it.s3_access_key_id = Some("".to_owned().into())), "is empty or has spaces"),
            (wish(|it| it.s3_endpoint = None), "LASTBITE_S3_REGION is not set"),
            (wish(|it| it.s3_region = Some("hush hush".to_owned())), "LASTBITE_S3_REGION is no region"),
            (
                wish(|it| it.s3_endpoint = Some("http://store.example.com".to_owned())),
                "LASTBITE_S3_ENDPOINT is no https",
            ),
            (wish(|it| it.s3_endpoint = Some("https://store.example.com/".to_owned())), "without a slash at its end"),
            (
                wish(|it| it.s3_endpoint = Some(["https:", "//hush:hush@store.example.com"].concat())),
                "LASTBITE_S3_ENDPOINT is no",
            ),
        ] {
            let faults = faults(&storage, Environment::Production);
            assert!(faults.contains(reason) && !faults.contains("hush"), "{reason}: {faults}");
        }
        for media in [
            "",
            "photos",
            "file:///photos",
            "s3://",
            "s3://ab",
            "s3://Hush-Hush",
            "s3://-hush",
            "s3://bucket/hush/",
            "s3://bucket//hush",
            "s3://bucket/../hush",
            "s3://bucket/hush hush",
            "s3://bucket/hush?",
        ] {
            let faults = faults(&Storage { media: Some(media.to_owned()), ..storage() }, Environment::Development);
            assert!(
                faults.contains("LASTBITE_MEDIA is no s3://") && !faults.to_lowercase().contains("hush"),
                "{media}"
            );
        }
        let local = Storage { s3_endpoint: Some("http://127.0.0.1:9000".to_owned()), ..storage() };
        assert!(local.bucket(Environment::Development).is_ok());
    }
}
