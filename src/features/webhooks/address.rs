//! Where a webhook may be. Whoever administers an organization chooses addresses that this server then sends to: so none may lead to what
//! only the server reaches, nor back to it. A name may still be given an address that is private; on the platform's network that leads
//! nowhere (`docs/alerts.md`).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What this deployment lets webhooks lead to.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Private addresses, also by plain `http`: of a deployment on somebody's own computer.
    pub private: bool,
    /// Where this deployment itself is, as origins.
    pub own: Vec<String>,
}

/// Ends of names that are never public, besides names without a dot.
const PRIVATE_NAMES: [&str; 8] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "arpa",
];

/// An address in its parts.
struct Target<'a> {
    secure: bool,
    /// In lower case, without brackets and without a dot at its end.
    host: String,
    port: &'a str,
}

/// Says what is wrong with an address, if anything is.
pub fn check(url: &str, policy: &Policy) -> Result<(), &'static str> {
    let target = parse(url)?;
    let private = is_private(&target.host)?;
    if private && !policy.private {
        return Err("must not lead to a private or local address");
    }
    let at_home = private && policy.private;
    if !(target.secure || at_home) {
        return Err("must begin with https://");
    }
    if policy.own.iter().any(|own| is_own(&target, own, policy.private)) {
        return Err("must not lead back to this server");
    }
    Ok(())
}

/// Takes an address apart, and refuses what browsers and servers may read in different ways.
fn parse(url: &str) -> Result<Target<'_>, &'static str> {
    if !url.bytes().all(|b| b.is_ascii_graphic()) || url.contains('\\') {
        return Err("must be an address in ASCII, without white space or backslashes");
    }
    let (secure, rest) = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
        _ => return Err("must begin with https://"),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not contain a name or password");
    }
    if url.contains('#') {
        return Err("must not contain a fragment");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("has no valid host")?;
            host.parse::<Ipv6Addr>().map_err(|_| "has no valid host")?;
            (host, after.strip_prefix(':').or(after.is_empty().then_some("")))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("")),
        },
    };
    let port = port
        .filter(|port| port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0))
        .ok_or("has no valid port")?;
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    Ok(Target { secure, host, port })
}

/// Whether a host is none of the public network. Numbers count as addresses in one form only.
fn is_private(host: &str) -> Result<bool, &'static str> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(!is_public(address));
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = labels.last().copied().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if !labels.iter().all(is_label) || is_number || host.len() > 253 {
        return Err("has no valid host");
    }
    Ok(labels.len() == 1 || PRIVATE_NAMES.contains(&last))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

/// By the registry of special addresses (RFC 6890 and what followed).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(matches!(a, 0 | 10 | 127 | 224..)
        || a == 100 && (64..128).contains(&b)
        || a == 169 && b == 254
        || a == 172 && (16..32).contains(&b)
        || a == 192 && (b == 168 || b == 0 && (c == 0 || c == 2) || b == 88 && c == 99)
        || a == 198 && (b == 18 || b == 19 || b == 51 && c == 100)
        || a == 203 && b == 0 && c == 113)
}

/// Only what is given out to the public, and none of what leads to an IPv4 address within.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    a & 0xe000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8)) && a & 0xfff0 != 0x3ff0
}

/// Whether an address is where this deployment is. Where private ones are allowed, other programs share its host.
fn is_own(target: &Target, own: &str, with_port: bool) -> bool {
    let Ok(own) = parse(own) else { return false };
    let port = |target: &Target| match target.port {
        "" if target.secure => "443".to_owned(),
        "" => "80".to_owned(),
        port => port.to_owned(),
    };
    own.host == target.host && (!with_port || port(&own) == port(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Policy {
        Policy {
            private: false,
            own: vec!["https://edge.example.com".to_owned()],
        }
    }

    #[test]
    fn what_is_public_and_secure_is_accepted() {
        for good in [
            "https://hooks.example.org",
            "https://hooks.example.org/a/b?c=d",
            "HTTPS://Hooks.Example.org:8443/",
            "https://hooks.example.org./x",
            "https://xn--bcher-kva.example/x",
            "https://93.184.215.14/x",
            "https://[2606:2800:21f:cb07::1]/x",
        ] {
            assert_eq!(check(good, &deployment()), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_only_the_server_reaches_is_refused_in_every_spelling() {
        for bad in [
            "https://localhost/x",
            "https://LOCALHOST./x",
            "https://a.localhost",
            "https://printer",
            "https://printer.local",
            "https://metadata.google.internal/computeMetadata/v1/",
            "https://router.lan",
            "https://nas.home.arpa",
            "https://127.0.0.1",
            "https://127.1.2.3:8443",
            "https://0.0.0.0",
            "https://10.0.0.1",
            "https://100.64.0.1",
            "https://169.254.169.254/latest/meta-data/",
            "https://172.16.0.1",
            "https://172.31.255.255",
            "https://192.0.0.8",
            "https://192.168.1.1",
            "https://198.18.0.1",
            "https://224.0.0.1",
            "https://255.255.255.255",
            "https://[::1]",
            "https://[::]",
            "https://[::ffff:127.0.0.1]",
            "https://[::ffff:a00:1]",
            "https://[64:ff9b::a00:1]",
            "https://[2002:a00:1::]",
            "https://[2001:0:1::]",
            "https://[2001:db8::1]",
            "https://[3fff::1]",
            "https://[fc00::1]",
            "https://[fd00:ec2::254]",
            "https://[fe80::1]",
            "https://[ff02::1]",
        ] {
            let refused = check(bad, &deployment());
            assert_eq!(refused, Err("must not lead to a private or local address"), "{bad}");
        }
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused() {
        for bad in [
            "",
            "hooks.example.org",
            "ftp://hooks.example.org",
            "https://",
            "https:///x",
            "https://a b.example",
            "https://hooks.example.org\n",
            "https://hooks.example.org\\@127.0.0.1",
            "https://user:pass@hooks.example.org",
            "https://hooks.example.org#x",
            "https://2130706433",
            "https://0x7f000001",
            "https://0x7f.1",
            "https://127.1",
            "https://0177.0.0.1",
            "https://127.0.0.1.5",
            "https://%31%32%37.0.0.1",
            "https://hooks..example.org",
            "https://hooks.example.org:0",
            "https://hooks.example.org:65536",
            "https://hooks.example.org:x",
            "https://[::1",
            "https://[::1]x",
            "https://[fe80::1%25eth0]",
            "https://bücher.example",
        ] {
            assert!(check(bad, &deployment()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_deployment_on_ones_own_computer_sends_to_private_addresses_and_without_encryption() {
        assert_eq!(
            check("http://hooks.example.org", &deployment()),
            Err("must begin with https://")
        );
        let laptop = Policy {
            private: true,
            own: vec!["http://127.0.0.1:8787".to_owned()],
        };
        for good in [
            "http://127.0.0.1:9000/x",
            "http://localhost:8787/x",
            "https://192.168.1.5",
            "https://hooks.example.org",
        ] {
            assert_eq!(check(good, &laptop), Ok(()), "{good}");
        }
        assert!(check("http://hooks.example.org", &laptop).is_err());
        assert!(check("http://127.0.0.1:8787/api/webhooks", &laptop).is_err());
    }

    #[test]
    fn nothing_leads_back_to_the_deployment_by_any_port() {
        for own in [
            "https://edge.example.com/x",
            "https://EDGE.example.com.",
            "https://edge.example.com:8443",
        ] {
            assert_eq!(
                check(own, &deployment()),
                Err("must not lead back to this server"),
                "{own}"
            );
        }
    }
}
