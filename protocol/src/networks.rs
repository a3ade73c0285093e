//! Networks from which somebody may come: an address and how many of its bits count, as in `203.0.113.0/24`.
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Most networks of one organization. Each request compares its address with all of them.
pub const MAX_NETWORKS: usize = 100;

/// Longest network in characters: that of IPv6, written in full.
pub const MAX_NETWORK: usize = 43;

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address is in it. An IPv4 address may be written as IPv6 does, `::ffff:192.0.2.1`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == masked(self.address, self.prefix)
    }
}

/// The bits of an address that count, the others being zero.
fn masked(address: IpAddr, prefix: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    // Shifting by all bits is not possible, and leaves none.
    let rest = width - u32::from(prefix).min(width);
    bits.checked_shr(rest)
        .and_then(|kept| kept.checked_shl(rest))
        .unwrap_or_default()
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Why a text is no network, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotANetwork {
    /// It has not the form of one.
    Form,
    /// It names an address within a network: this is the network.
    Within(String),
}

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("must be networks such as 203.0.113.0/24 or 2001:db8::/32, or single addresses"),
            Self::Within(network) => write!(f, "has an address with bits that do not count: write {network}"),
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::Form)?;
        // One that is IPv4 would never be met: addresses are compared as what they are.
        if address.to_canonical() != address {
            return Err(NotANetwork::Form);
        }
        let is_number = |text: &&str| text.bytes().all(|b| b.is_ascii_digit());
        let prefix = match prefix {
            None => width(address),
            Some(text) => Some(text)
                .filter(is_number)
                .and_then(|text| text.parse().ok())
                .filter(|prefix| *prefix <= width(address))
                .ok_or(NotANetwork::Form)?,
        };
        let kept = masked(address, prefix);
        let network = match address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(kept).map_err(|_| NotANetwork::Form)?.into()),
            IpAddr::V6(_) => IpAddr::V6(kept.into()),
        };
        let found = Self {
            address: network,
            prefix,
        };
        match network == address {
            true => Ok(found),
            false => Err(NotANetwork::Within(found.to_string())),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Whether somebody may come from an address, where only some networks are let in. Without any, everybody is; what is no address
/// is in no network.
pub fn admits<T: AsRef<str>>(networks: &[T], address: &str) -> bool {
    let contains = |address: IpAddr| {
        networks
            .iter()
            .filter_map(|network| network.as_ref().parse::<Network>().ok())
            .any(|network| network.contains(address))
    };
    networks.is_empty() || address.parse().is_ok_and(contains)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_network_is_written_in_one_way() {
        for (text, written) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(text).to_string(), written);
            assert_eq!(network(written), network(text));
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0.0/256",
            "::/129",
            "fe80::1%eth0",
            "::ffff:10.0.0.0/104",
            "host",
            " 10.0.0.0/8",
            "010.0.0.0/8",
        ] {
            assert_eq!(bad.parse::<Network>(), Err(NotANetwork::Form), "{bad}");
        }
        let within = |text: &str| text.parse::<Network>().unwrap_err().to_string();
        assert!(within("203.0.113.7/24").ends_with("write 203.0.113.0/24"));
        assert!(within("2001:db8::1/32").ends_with("write 2001:db8::/32"));
    }

    #[test]
    fn an_address_is_in_a_network_by_the_bits_that_count() {
        for (text, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7/32", "203.0.113.7", "203.0.113.6"),
            ("128.0.0.0/1", "255.255.255.255", "127.255.255.255"),
            ("0.0.0.0/0", "8.8.8.8", "::"),
            ("::/0", "ffff::", "0.0.0.0"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ] {
            assert!(network(text).contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(!network(text).contains(outside.parse().unwrap()), "{text} {outside}");
        }
        assert!(network("192.0.2.0/24").contains("::ffff:192.0.2.9".parse().unwrap()));
        assert!(!network("::/0").contains("::ffff:192.0.2.9".parse().unwrap()));
    }

    #[test]
    fn without_networks_everybody_comes_in_and_with_some_nobody_without_an_address() {
        let none: [&str; 0] = [];
        assert!(admits(&none, "192.0.2.1") && admits(&none, "unknown"));
        let some = ["10.0.0.0/8", "2001:db8::/32"];
        assert!(admits(&some, "10.1.2.3") && admits(&some, "2001:db8::9"));
        for outside in ["192.0.2.1", "::1", "unknown", ""] {
            assert!(!admits(&some, outside), "{outside}");
        }
        // What cannot be read lets nobody in.
        assert!(!admits(&["nonsense"], "10.1.2.3"));
    }
}
