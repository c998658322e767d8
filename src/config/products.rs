//! `LASTBITE_PRODUCTS_URL`: who is asked for the product of a barcode, and how often at most.

use std::time::Duration;

use super::{Environment, providers::is_base};
use crate::limits;

/// Where Open Food Facts is.
pub const BASE: &str = "https://world.openfoodfacts.org";

/// A service that speaks as Open Food Facts does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// Without a slash at its end; `/api/v2/product/…` follows.
    pub base: String,
    /// For how long it is waited, twice at most.
    pub timeout: Duration,
    /// Calls in all: so many at once …
    pub calls_burst: u32,
    /// … and so many a minute later on.
    pub calls_per_minute: u32,
}

impl Catalogue {
    /// One with the bounds that the service asks for.
    #[must_use]
    pub fn at(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            timeout: limits::PRODUCTS_TIMEOUT,
            calls_burst: limits::PRODUCTS_CALLS_BURST,
            calls_per_minute: limits::PRODUCTS_CALLS_PER_MINUTE,
        }
    }
}

/// Reads the setting: nobody is asked when it is empty or `off`.
///
/// # Errors
/// What keeps it from being used.
pub fn parse(url: &str, environment: Environment) -> Result<Option<Catalogue>, String> {
    match url {
        "" | "off" => Ok(None),
        base if is_base(base, environment) && !base.ends_with('/') => Ok(Some(Catalogue::at(base))),
        _ => Err("LASTBITE_PRODUCTS_URL is neither `off` nor an https URL without a slash at its end (http is for trying out)"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_a_base_or_off() {
        let (production, development) = (Environment::Production, Environment::Development);
        assert_eq!(parse(BASE, production), Ok(Some(Catalogue::at(BASE))));
        assert_eq!((parse("off", production), parse("", production)), (Ok(None), Ok(None)));
        assert!(parse("http://127.0.0.1:1234", development).is_ok_and(|catalogue| catalogue.is_some()));
        for bad in ["http://products.example.com", "https://products.example.com/", "products.example.com", "OFF", " "]
        {
            assert!(parse(bad, production).unwrap_err().contains("LASTBITE_PRODUCTS_URL"), "{bad}");
        }
    }
}
