//! What the inventory of a deployment says of its hosts: a pure function of what its YAML comes to.
use protocol::terminal::ssh::{MAX_HOSTS, is_hostname};
use serde_json::{Map, Value};

/// The port where none is named.
const SSH_PORT: u16 = 22;

/// Whom to log in as where nobody is named (contract).
const DEFAULT_USER: &str = "root";

/// Longest name of a user that is taken from an inventory: what Linux lets accounts have.
const MAX_USER: usize = 256;

/// How to get to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the network, or its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// As whom.
    pub user: String,
    /// The file with the key, as it is written there.
    pub key: String,
}

/// The names of the hosts there are, in order and at most [`MAX_HOSTS`].
pub fn hosts(inventory: &Value) -> Vec<String> {
    let names = listed(inventory).into_iter().flat_map(Map::keys);
    names
        .filter(|name| is_hostname(name))
        .take(MAX_HOSTS)
        .cloned()
        .collect()
}

/// How to get to the host of a name; nothing if it is not there, or if it does not say by which key.
pub fn entry(inventory: &Value, hostname: &str) -> Option<Entry> {
    let host = listed(inventory)?.get(hostname)?;
    let text = |key: &str| host.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let port = match host.get("ansible_port") {
        None | Some(Value::Null) => SSH_PORT,
        Some(Value::Number(port)) => u16::try_from(port.as_u64()?).ok()?,
        Some(port) => port.as_str()?.parse().ok()?,
    };
    let entry = Entry {
        address: text("ansible_host").unwrap_or(hostname).to_owned(),
        port,
        user: text("ansible_user").unwrap_or(DEFAULT_USER).to_owned(),
        key: text("ansible_ssh_private_key_file")?.to_owned(),
    };
    let is_word = |user: &str| user.len() <= MAX_USER && !user.chars().any(char::is_control);
    (port > 0 && is_hostname(&entry.address) && is_word(&entry.user)).then_some(entry)
}

fn listed(inventory: &Value) -> Option<&Map<String, Value>> {
    inventory.get("all")?.get("hosts")?.as_object()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::yaml;

    fn read(text: &str) -> Value {
        yaml::read(text).unwrap().unwrap()
    }

    #[test]
    fn a_host_says_how_to_get_to_it() {
        let inventory = read(
            "all:\n  hosts:\n    web-1:\n      ansible_host: 10.0.0.5\n      ansible_port: 2222\n      ansible_user: deploy\n      \
             ansible_ssh_private_key_file: keys/id\n    web-2: {ansible_ssh_private_key_file: /services/web/id, ansible_port: '2200'}\n",
        );
        assert_eq!(hosts(&inventory), ["web-1", "web-2"]);
        let expected = Entry {
            address: "10.0.0.5".into(),
            port: 2222,
            user: "deploy".into(),
            key: "keys/id".into(),
        };
        assert_eq!(entry(&inventory, "web-1"), Some(expected));
        let expected = Entry {
            address: "web-2".into(),
            port: 2200,
            user: "root".into(),
            key: "/services/web/id".into(),
        };
        assert_eq!(entry(&inventory, "web-2"), Some(expected));
        assert_eq!(entry(&inventory, "web-3"), None);
    }

    #[test]
    fn a_host_of_which_too_little_or_nonsense_is_said_is_none_to_get_to() {
        for host in [
            "",
            "{}",
            "{ansible_host: 10.0.0.5}",
            "{ansible_ssh_private_key_file: ''}",
            "{ansible_ssh_private_key_file: 5}",
            "{ansible_ssh_private_key_file: id, ansible_port: 0}",
            "{ansible_ssh_private_key_file: id, ansible_port: 65536}",
            "{ansible_ssh_private_key_file: id, ansible_port: ssh}",
            "{ansible_ssh_private_key_file: id, ansible_port: []}",
            "{ansible_ssh_private_key_file: id, ansible_host: 'a b'}",
            "{ansible_ssh_private_key_file: id, ansible_user: \"a\\nb\"}",
        ] {
            let inventory = read(&format!("all:\n  hosts:\n    web: {host}\n"));
            assert_eq!(entry(&inventory, "web"), None, "{host}");
        }
        for text in ["all: 5", "all: {hosts: [web]}", "web: {}", "[]", "text"] {
            let inventory = read(text);
            assert_eq!((entry(&inventory, "web"), hosts(&inventory).len()), (None, 0), "{text}");
        }
    }

    #[test]
    fn there_is_a_most_of_hosts_that_are_told_of() {
        let many: String = (0..MAX_HOSTS + 5).map(|n| format!("    h{n}:\n")).collect();
        let inventory = read(&format!("all:\n  hosts:\n    'no host':\n{many}"));
        assert_eq!(hosts(&inventory).len(), MAX_HOSTS);
    }
}
