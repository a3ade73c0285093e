//! Mail addresses that can stand in a header.
use std::fmt;

use protocol::api::auth::MAX_EMAIL;
use protocol::api::validate::is_email;

/// Punctuation allowed before the `@` without quotes (RFC 5322, `atext`), and the dot.
const PUNCTUATION: &str = "!#$%&'*+/=?^_`{|}~.-";

/// One mail address. It holds nothing that could end a header or begin a second address, and prints without its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The address, if it is one that mail can be sent to.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_alphanumeric() || c == '@' || PUNCTUATION.contains(c);
        let fits = is_email(text) && text.chars().count() <= MAX_EMAIL && text.chars().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// The address in clear.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address for a log: who it is stays out.
    pub fn masked(&self) -> String {
        format!("…@{}", self.domain())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_nothing_that_means_something_in_a_header() {
        for good in [
            "ann@example.org",
            "first.last+tag@sub.example.org",
            "o'neil@example.org",
            "ü@example.org",
        ] {
            assert_eq!(Address::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "ann",
            "ann@example",
            "a b@example.org",
            "<ann@example.org>",
            "ann@example.org,eve",
            "ann@example.org\r\nBcc: eve@example.org",
            "\"ann\"@example.org",
            "ann@example.org;",
            "ann(x)@example.org",
        ] {
            assert!(Address::parse(bad).is_none(), "{bad:?}");
        }
        assert!(Address::parse(&format!("{}@example.org", "a".repeat(300))).is_none());
    }

    #[test]
    fn a_log_shows_the_domain_only() {
        let address = Address::parse("ann@example.org").unwrap();
        assert_eq!(format!("{address:?}"), "…@example.org");
    }
}
