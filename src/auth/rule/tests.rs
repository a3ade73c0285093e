//! The table against the API document.
use super::*;

/// The operations of the API document: method, path, and whether it says that no token is needed.
fn operations() -> Vec<(Method, String, bool)> {
    let document = serde_json::to_value(crate::openapi::document()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            let security = operation.get("security").unwrap_or(&document["security"]);
            let ways = security.as_array().unwrap();
            let open = ways.iter().any(|way| way.as_object().unwrap().is_empty());
            found.push((method, path.clone(), open));
        }
    }
    found
}

#[test]
fn every_operation_has_exactly_one_rule_and_every_rule_an_operation() {
    let mut decided: Vec<String> = RULES
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let mut documented: Vec<String> = operations()
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    decided.sort();
    documented.sort();
    assert_eq!(decided, documented);
}

#[test]
fn what_leads_to_a_new_password_is_there_and_wants_no_right() {
    for (method, path) in BEFORE_PASSWORD_CHANGE {
        let operation = operation(method, path, &HeaderMap::new()).unwrap();
        assert!(operation.before_password_change, "{path}");
        assert!(matches!(operation.rule, Rule::SignedIn | Rule::InPerson), "{path}");
    }
    let machines = operation(&Method::GET, "/api/machines", &HeaderMap::new()).unwrap();
    assert!(!machines.before_password_change);
}

#[test]
fn the_document_says_of_exactly_the_open_operations_that_they_need_no_token() {
    for (method, path, open) in operations() {
        assert_eq!(rule(&method, &path) == Some(Rule::Open), open, "{method} {path}");
    }
}

#[test]
fn an_upgrade_counts_as_a_write() {
    let upgrade: HeaderMap = [("upgrade".parse().unwrap(), "websocket".parse().unwrap())]
        .into_iter()
        .collect();
    assert_eq!(effect(&Method::GET, &HeaderMap::new()), Effect::Reads);
    assert_eq!(effect(&Method::GET, &upgrade), Effect::Writes);
    assert_eq!(effect(&Method::POST, &HeaderMap::new()), Effect::Writes);
    assert_eq!(rule(&Method::HEAD, "/health"), Some(Rule::Open));
    assert_eq!(rule(&Method::PATCH, "/health"), None);
}
