//! Services of a runner: what an agent with a services directory tells of it, and what it is asked to do with a service's files. The
//! rules of names are here for both ends; the agent holds to them whatever the edge says.
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Services that are told of. A directory with more is no services directory; how many are left out is said.
pub const MAX_SERVICES: usize = 1000;

/// Longest name of a service, in bytes.
pub const MAX_SERVICE_NAME: usize = 100;

/// Longest name of a file, in bytes: what Linux's file systems take.
pub const MAX_FILE_NAME: usize = 255;

/// What a part of the catalog has at most, in bytes as JSON writes it, so that the echo of a key waits for no more than that.
pub const MAX_CATALOG_PART: usize = 64 * 1024;

/// What is told of one service's scripts, of its instances or of its outputs, in bytes as JSON writes it each. The three with names and
/// problems fit [`MAX_CATALOG_PART`].
pub const MAX_DETAIL: usize = 16 * 1024;

/// What is told of all services together, in bytes as JSON writes it: a thousand with some scripts each. What is more is left out.
pub const MAX_CATALOG: usize = 4 * 1024 * 1024;

/// Longest text of what is wrong with a file, in bytes: some hundred such fit a part.
pub const MAX_PROBLEM: usize = 400;

/// Largest file that is written, and largest config that is read, in bytes (contract of the published API).
pub const MAX_WRITTEN: usize = 102_400;

/// Largest file that is read. The published API has no such bound; this one keeps a link from being busy for minutes with one.
pub const MAX_DOWNLOAD: u64 = 64 * 1024 * 1024;

/// What is read of a file at once, in bytes: in base64 it is a third of [`MAX_AGENT_TEXT`](crate::limits::MAX_AGENT_TEXT).
pub const MAX_CHUNK: usize = 64 * 1024;

/// Files that are listed at once: with the longest names they are half of [`MAX_AGENT_TEXT`](crate::limits::MAX_AGENT_TEXT).
pub const MAX_LISTED: usize = 200;

/// Asks of one runner that are under way at once.
pub const MAX_ASKS: usize = 16;

/// What makes a directory a service, and what a deployment runs (contract of the published API).
pub const DEPLOY: &str = "deploy.sh";

/// The configs of a service that may be read and written, in the order in which they are listed.
pub const CONFIGS: [&str; 4] = ["config.yaml", "instance.yaml", "outputs.yaml", "scripts.yaml"];

/// Whether a directory of this name can be a service.
pub fn is_service_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    name.len() <= MAX_SERVICE_NAME
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// Whether a file may be named so: one component of a path, visible on one line.
pub fn is_file_name(name: &str) -> bool {
    (1..=MAX_FILE_NAME).contains(&name.len())
        && !matches!(name, "." | "..")
        && !name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control())
}

/// One directory below the services directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The directory's name.
    pub name: String,
    /// Whether it has a `deploy.sh`, which makes it a service. What has none is told of if it was deployed.
    pub deployable: bool,
    /// Whether it has the inventory of a deployment.
    pub deployed: bool,
    /// The hosts in that inventory, at most [`MAX_HOSTS`](super::ssh::MAX_HOSTS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Its scripts, as `scripts.yaml` has them.
    pub scripts: Vec<Value>,
    /// Which of [`CONFIGS`] exist.
    pub configs: Vec<String>,
    /// All of `instance.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Value>,
    /// Why that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_error: Option<String>,
    /// What its last run gave, without the values of credentials: those stay on the runner until somebody who may asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Value>,
    /// Which playbooks in its directory ask whoever runs them, and get no answer in a job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<String>,
    /// What else is wrong with its files, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A part of the catalog: all services of a runner, sorted by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogPart {
    /// The number of the catalog, by which it is acknowledged.
    pub number: u64,
    /// The number of the part, from 0.
    pub part: u32,
    /// Whether it is the last.
    pub last: bool,
    /// How many services there are besides.
    pub left_out: u32,
    /// At most [`MAX_CATALOG_PART`] of them.
    pub services: Vec<Service>,
}

/// The directories of a service whose files may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subdir {
    /// What a run is given.
    Inputs,
    /// What it gave.
    Outputs,
}

impl Subdir {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
        }
    }
}

/// A file of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Place {
    /// One of [`CONFIGS`].
    Config {
        /// Which.
        name: String,
    },
    /// One in a subdirectory.
    File {
        /// In which.
        subdir: Subdir,
        /// Its name.
        name: String,
    },
}

crate::tagged!(Place, "kind");

/// What a runner is asked to do with one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Ask {
    /// List a directory.
    List {
        /// Which.
        subdir: Subdir,
        /// The last name of the list before, if it had more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Read a file from an offset, [`MAX_CHUNK`] bytes of it at most.
    Read {
        /// Which.
        place: Place,
        /// The first byte.
        from: u64,
        /// The version of which another part was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// Make a file have this content, whole or not at all.
    Write {
        /// Which.
        place: Place,
        /// At most [`MAX_WRITTEN`] bytes.
        #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
        content: Vec<u8>,
    },
    /// Remove a file; it stays as its backup.
    Delete {
        /// Which.
        place: Place,
    },
    /// Say what the last run gave, the values of credentials included.
    Outputs,
}

crate::tagged!(Ask, "do");

/// A file in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub modified_ms: u64,
}

/// What became of an [`Ask`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Answer {
    /// Regular files, sorted by name; none if there is no such directory.
    Files {
        /// At most [`MAX_LISTED`].
        files: Vec<Listed>,
        /// Whether there are more after the last.
        more: bool,
    },
    /// A part of a file.
    Chunk {
        /// The bytes there are from that offset.
        #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
        content: Vec<u8>,
        /// How long the file is.
        size: u64,
        /// When it was last changed, in milliseconds since the Unix epoch.
        modified_ms: u64,
        /// What changes when the file does.
        version: String,
    },
    /// It is done, and on the disk.
    Done,
    /// What the last run gave.
    Outputs {
        /// At most [`MAX_DETAIL`] of it; none if there is no such file, or it makes no sense.
        outputs: Vec<Value>,
    },
    /// Nothing was done.
    Refused {
        /// Why.
        #[serde(flatten)]
        refusal: Refusal,
    },
}

crate::tagged!(Answer, "answer");

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such service.
    NoService,
    /// The name is none of [`CONFIGS`], or none that a file may have.
    NotAllowed,
    /// The way there leads over a link, and so perhaps out of the directory.
    Traversal,
    /// There is no such file.
    NotFound,
    /// It is longer than may be read or written.
    TooLarge {
        /// How long it is, in bytes.
        size: u64,
    },
    /// It does not parse as one YAML document.
    InvalidYaml {
        /// What is wrong, and where.
        reason: String,
    },
    /// The file was changed since another part of it was read.
    Changed,
    /// As much as may be is under way already.
    Busy,
    /// Its agent is of before there was such a thing to ask for. The relay says so; the agent was asked nothing.
    TooOld,
    /// The system of the runner is against it.
    Failed {
        /// Why, in words without paths.
        error: String,
    },
}

crate::tagged!(Refusal, "why");

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Base64::encode_string(bytes))
}

/// Nothing longer than [`MAX_WRITTEN`] is decoded.
fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() > MAX_WRITTEN.div_ceil(3) * 4 {
        return Err(serde::de::Error::custom("content is longer than may travel at once"));
    }
    Base64::decode_vec(&text).map_err(|_| serde::de::Error::custom("content is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_AGENT_TEXT;
    use crate::terminal::agent::{FromAgent, ToAgent};

    #[test]
    fn a_service_is_named_as_a_directory_that_nobody_has_to_quote() {
        for good in ["a", "web-1", "9.lives_x", &"n".repeat(MAX_SERVICE_NAME)] {
            assert!(is_service_name(good), "{good}");
        }
        let long = "n".repeat(MAX_SERVICE_NAME + 1);
        for bad in [
            "", ".", "..", ".git", "-rf", "_a", "a/b", "a b", "a\0", "ä", "%2e%2e", &long,
        ] {
            assert!(!is_service_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_file_name_is_one_component() {
        for good in ["a", "..a", ".env", "ä b.txt", "%2e%2e%2f", &"n".repeat(MAX_FILE_NAME)] {
            assert!(is_file_name(good), "{good}");
        }
        let long = "n".repeat(MAX_FILE_NAME + 1);
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "\u{7f}",
            &long,
        ] {
            assert!(!is_file_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_largest_messages_fit_the_link() {
        let place = Place::File {
            subdir: Subdir::Outputs,
            name: "\"".repeat(MAX_FILE_NAME),
        };
        let ask = ToAgent::Service {
            number: u64::MAX,
            service: "n".repeat(MAX_SERVICE_NAME),
            ask: Ask::Write {
                place,
                content: vec![0; MAX_WRITTEN],
            },
        };
        let json = serde_json::to_string(&ask).unwrap();
        assert!(json.len() <= MAX_AGENT_TEXT, "{}", json.len());
        assert_eq!(serde_json::from_str::<ToAgent>(&json).unwrap(), ask);
        let listed = Listed {
            name: "\"".repeat(MAX_FILE_NAME),
            size: u64::MAX,
            modified_ms: u64::MAX,
        };
        let answers = [
            Answer::Files {
                files: vec![listed; MAX_LISTED],
                more: true,
            },
            Answer::Chunk {
                content: vec![0; MAX_CHUNK],
                size: u64::MAX,
                modified_ms: u64::MAX,
                version: "v".repeat(100),
            },
        ];
        for answer in answers {
            let json = serde_json::to_string(&FromAgent::Service { number: 1, answer }).unwrap();
            assert!(json.len() <= MAX_AGENT_TEXT, "{}", json.len());
        }
    }

    #[test]
    fn content_that_is_too_long_or_no_base64_is_no_message() {
        let message = |content: &str| {
            let json =
                format!(r#"{{"do":"write","place":{{"kind":"config","name":"config.yaml"}},"content":"{content}"}}"#);
            serde_json::from_str::<Ask>(&json)
        };
        assert!(message("YQ==").is_ok());
        assert!(message("%").is_err());
        assert!(message(&"A".repeat(MAX_WRITTEN * 2)).is_err());
    }
}
