//! Text that must not reach a log.
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A password, token or key. It travels as plain text and prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", Secret::from("hunter2".to_owned())), "[redacted]");
    }

    #[test]
    fn a_secret_travels_as_plain_text() {
        assert_eq!(
            serde_json::to_string(&Secret::from("hunter2".to_owned())).unwrap(),
            "\"hunter2\""
        );
    }
}
