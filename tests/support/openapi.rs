//! The API as it describes itself at `/openapi.json`.
use reqwest::Method;
use serde_json::Value;

use super::account::Anonymous;

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: String,
    /// Whether anybody may call it.
    pub public: bool,
    /// Whether it takes a body.
    pub takes_body: bool,
}

impl Operation {
    /// The names of the parameters in the path.
    pub fn parameters(&self) -> Vec<&str> {
        self.path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect()
    }

    /// The path with its parameters filled in.
    pub fn path_with(&self, mut value: impl FnMut(&str) -> String) -> String {
        let mut path = self.path.clone();
        for name in self.parameters() {
            path = path.replace(&format!("{{{name}}}"), &value(name));
        }
        path
    }
}

/// Every operation of the document.
pub async fn operations(anyone: &Anonymous) -> Vec<Operation> {
    let document = anyone.ask(Method::GET, "/openapi.json", None).await.ok();
    let needs_token = |security: &Value| {
        security
            .as_array()
            .is_none_or(|ways| !ways.iter().any(|way| way.as_object().is_some_and(|way| way.is_empty())))
    };
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let security = operation.get("security").unwrap_or(&document["security"]);
            found.push(Operation {
                method,
                path: path.clone(),
                public: !needs_token(security),
                takes_body: operation.get("requestBody").is_some(),
            });
        }
    }
    assert!(found.len() >= 10, "{found:#?}");
    found
}
