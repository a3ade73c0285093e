//! What the service needs of the environment that `configure` ran in: a machine that was enrolled through a proxy reaches
//! the edge through it only, and a service manager hands down nothing of the kind.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ServiceError;
use crate::identity::write_private;

/// The variables that name proxies and certificates.
const VARIABLES: [&str; 10] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Where the service with this configuration finds them.
pub fn file_of(config: &Path) -> PathBuf {
    config.with_extension("env")
}

/// Keeps the variables of this process for the service, in a file that only root may read, since a proxy's address may hold
/// a password. Without any there is no file. Whether there is one.
pub fn keep(config: &Path) -> Result<bool, ServiceError> {
    let path = file_of(config);
    let text = file(|name| std::env::var(name).ok());
    let kept = if text.is_empty() {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    } else {
        write_private(&path, text.as_bytes())
    };
    kept.map_err(|error| ServiceError::file(&path, error))?;
    Ok(!text.is_empty())
}

/// The variables that were kept, for an agent that no service manager starts.
pub fn load(config: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file_of(config)).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            VARIABLES.contains(&name).then(|| (name.to_owned(), unescape(value)))
        })
        .collect()
}

fn unescape(value: &str) -> String {
    let mut chars = value.chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

/// As systemd and a shell read it alike: a line for each, the value in quotes.
fn file(value: impl Fn(&str) -> Option<String>) -> String {
    VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, value(name)?)))
        // No address and no path that works has one.
        .filter(|(_, value)| !value.is_empty() && !value.chars().any(char::is_control))
        .map(|(name, value)| format!("{name}=\"{}\"\n", escape(&value)))
        .collect()
}

fn escape(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars() {
        if "\"\\$`".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_proxies_and_certificates_is_kept_and_nothing_else() {
        let environment = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://ann:p\"\\w@proxy.example:3128".to_owned()),
            "no_proxy" => Some("10.0.0.0/8,.example".to_owned()),
            "http_proxy" => Some(String::new()),
            "SSL_CERT_DIR" => Some("/a\nVSAY_TOKEN=x".to_owned()),
            _ => None,
        };
        assert_eq!(
            file(environment),
            "HTTPS_PROXY=\"http://ann:p\\\"\\\\w@proxy.example:3128\"\nno_proxy=\"10.0.0.0/8,.example\"\n"
        );
        assert_eq!(file(|_| None), "");
    }

    #[test]
    fn what_is_kept_is_read_back_by_us_and_by_a_shell() {
        let hostile = "http://ann:a\"b\\c$d`e'f@proxy.example:3128/?x=1;y#z";
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("agent.yaml");
        fs::write(
            file_of(&config),
            file(|name| (name == "ALL_PROXY").then(|| hostile.to_owned())),
        )
        .unwrap();
        assert_eq!(load(&config), [("ALL_PROXY".to_owned(), hostile.to_owned())]);
        let shell = std::process::Command::new("sh")
            .args(["-c", ". \"$1\" && printf %s \"$ALL_PROXY\"", "sh"])
            .arg(file_of(&config))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), hostile);
    }
}
