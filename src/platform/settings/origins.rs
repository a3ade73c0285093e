//! Which browser origins may open sockets. A browser sends its page's origin with every upgrade and lets no page forge it;
//! other programs send none and prove themselves with their token alone.

/// The origins that are welcome besides our own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    any: bool,
    list: Vec<String>,
}

impl AllowedOrigins {
    /// Reads `BASE_URL` and `ALLOWED_ORIGINS`, a list with commas in which `*` is any. The error is the part that is no
    /// origin.
    pub fn new(base_url: Option<&str>, list: Option<&str>) -> Result<Self, String> {
        let mut origins = Self::default();
        let listed = list
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty());
        for text in base_url.into_iter().chain(listed) {
            match text {
                "*" => origins.any = true,
                text => origins.list.push(normal(text).ok_or_else(|| text.to_owned())?),
            }
        }
        Ok(origins)
    }

    /// Whether a page of `origin` may open a socket at `own`, the origin that the request was sent to.
    pub fn allow(&self, origin: Option<&str>, own: Option<&str>) -> bool {
        let Some(origin) = origin else {
            return true;
        };
        self.any
            || normal(origin)
                .is_some_and(|origin| own.and_then(normal).as_ref() == Some(&origin) || self.list.contains(&origin))
    }
}

/// Scheme, host and port in lower case; nothing for what is no origin, such as the `null` of a sandboxed page.
fn normal(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let valid = !scheme.is_empty()
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !authority.is_empty()
        && authority
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    let authority = match scheme {
        "https" => authority.strip_suffix(":443").unwrap_or(authority),
        "http" => authority.strip_suffix(":80").unwrap_or(authority),
        _ => authority,
    };
    valid.then(|| format!("{scheme}://{authority}"))
}

/// The origin of what is on the web, in lower case, as programs and people are told it; nothing for any other text. Nothing in
/// it means anything to a shell within quotes.
pub fn web_origin(text: &str) -> Option<String> {
    normal(text).filter(|origin| ["https://", "http://"].iter().any(|scheme| origin.starts_with(scheme)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Option<&str> = Some("http://127.0.0.1:8787");

    #[test]
    fn a_program_without_an_origin_and_a_page_of_ours_are_welcome() {
        let origins = AllowedOrigins::new(None, None).unwrap();
        assert!(origins.allow(None, OWN));
        assert!(origins.allow(OWN, OWN));
        assert!(!origins.allow(Some("http://127.0.0.1:8788"), OWN));
        assert!(!origins.allow(Some("https://127.0.0.1:8787"), OWN));
        assert!(!origins.allow(Some("null"), OWN));
        assert!(!origins.allow(Some(""), OWN));
        assert!(!origins.allow(Some("null"), None));
    }

    #[test]
    fn listed_origins_and_the_public_address_are_welcome() {
        let origins = AllowedOrigins::new(
            Some("https://Edge.example.com/"),
            Some("https://a.example, vscode-webview://x ,"),
        )
        .unwrap();
        for good in [
            "https://edge.example.com",
            "https://edge.example.com:443",
            "HTTPS://A.example",
            "vscode-webview://x",
        ] {
            assert!(origins.allow(Some(good), OWN), "{good}");
        }
        for bad in [
            "https://a.example.evil",
            "http://a.example",
            "https://edge.example.com:8443",
            "https://b.a.example",
        ] {
            assert!(!origins.allow(Some(bad), OWN), "{bad}");
        }
    }

    #[test]
    fn a_star_welcomes_all() {
        assert!(AllowedOrigins::new(None, Some("*")).unwrap().allow(Some("null"), OWN));
    }

    #[test]
    fn what_is_no_origin_cannot_be_listed() {
        for bad in [
            "example.org",
            "https://",
            "https://a.example/path",
            "https://*.example",
            "://x",
            "https://a'b",
            "https://$(id)",
            "https://a;b",
            "https://a\nb",
        ] {
            assert_eq!(AllowedOrigins::new(None, Some(bad)), Err(bad.to_owned()));
            assert_eq!(web_origin(bad), None);
        }
    }

    #[test]
    fn what_programs_are_told_is_on_the_web() {
        assert_eq!(
            web_origin("HTTPS://Edge.example.com:443").as_deref(),
            Some("https://edge.example.com")
        );
        assert_eq!(web_origin("http://[::1]:8787").as_deref(), Some("http://[::1]:8787"));
        assert_eq!(web_origin("vscode-webview://x"), None);
    }
}
