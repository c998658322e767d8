//! Which server, and from which addresses of ours: a server bounds what one address may do, so on the loopback each
//! 25 sockets come from an address of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail, ensure};
use reqwest::Url;

/// Under the 30 spectators that a server allows an address.
const SPECTATORS_PER_ADDRESS: u32 = 25;
/// Players come from addresses of their own as well.
const PLAYERS_PER_ADDRESS: u32 = 5;

/// A server that may be loaded.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its base URL without a slash at the end.
    pub(crate) url: String,
    /// Where its sockets connect to.
    pub(crate) address: SocketAddr,
}

impl Target {
    /// Looks the host up, and refuses one that is not this machine unless it is the operator's own.
    pub(crate) async fn find(url: &str, i_own_this_server: bool) -> anyhow::Result<Self> {
        let parsed: Url = url.parse().with_context(|| format!("{url} is no URL"))?;
        ensure!(
            parsed.scheme() == "http",
            "only http:// is spoken here; put the load behind your TLS proxy, not on it"
        );
        let host = parsed.host_str().with_context(|| format!("{url} names no host"))?;
        let host = host.trim_matches(['[', ']']);
        let port = parsed.port_or_known_default().unwrap_or(80);
        let addresses: Vec<SocketAddr> =
            tokio::net::lookup_host((host, port)).await.with_context(|| format!("looking up {host}"))?.collect();
        let loopback = addresses.iter().all(|address| address.ip().is_loopback());
        if !loopback && !i_own_this_server {
            bail!("{host} is not this machine; if the server is yours, say --i-own-this-server");
        }
        // The loopback's many addresses are those of IPv4.
        let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied();
        let address = address.with_context(|| format!("{host} has no address"))?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), address })
    }

    /// Where the socket to the spectators comes from; `None` leaves it to the kernel.
    pub(crate) fn source_of_spectator(&self, number: u32) -> Option<IpAddr> {
        self.source(0, number / SPECTATORS_PER_ADDRESS)
    }

    /// Where a player's requests come from.
    pub(crate) fn source_of_player(&self, number: u32) -> Option<IpAddr> {
        self.source(64, number / PLAYERS_PER_ADDRESS)
    }

    /// Where the requests of somebody without an account come from, each from an address of their own.
    pub(crate) fn source_of_guest(&self, number: u32) -> Option<IpAddr> {
        self.source(192, number)
    }

    /// The address `place` of a block of 127.0.0.0/8 that begins at 127.`block`.0.2.
    fn source(&self, block: u8, place: u32) -> Option<IpAddr> {
        let many = matches!(self.address.ip(), IpAddr::V4(address) if address.is_loopback());
        let host = 2 + place % 250;
        let (net, block) = (place / 250 % 256, u32::from(block) + place / 64_000 % 64);
        many.then(|| Ipv4Addr::from_bits((127 << 24) | (block << 16) | (net << 8) | host).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_ones_own_server_is_loaded() {
        assert!(Target::find("http://127.0.0.1:8080/", false).await.is_ok());
        assert!(Target::find("http://192.0.2.1:8080", false).await.is_err());
        assert!(Target::find("http://192.0.2.1:8080", true).await.is_ok());
        assert!(Target::find("https://127.0.0.1", false).await.is_err());
    }

    #[tokio::test]
    async fn sources_rotate_on_the_loopback() {
        let target = Target::find("http://127.0.0.1:8080", false).await.expect("loopback");
        let source = |number| target.source_of_spectator(number).map(|address| address.to_string());
        assert_eq!(source(0).as_deref(), Some("127.0.0.2"));
        assert_eq!(source(24).as_deref(), Some("127.0.0.2"));
        assert_eq!(source(25).as_deref(), Some("127.0.0.3"));
        assert_eq!(source(25 * 250).as_deref(), Some("127.0.1.2"));
        assert_eq!(target.source_of_player(0).map(|it| it.to_string()).as_deref(), Some("127.64.0.2"));
    }
}
