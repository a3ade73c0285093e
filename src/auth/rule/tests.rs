//! What is declared of the operations, against the API document.
use std::collections::BTreeMap;

use axum::http::Method;

use super::*;

/// What is declared of each operation, by method and path.
fn declared() -> BTreeMap<(Method, String), Operation> {
    let mut found = BTreeMap::new();
    for operation in crate::router::api().into_described() {
        let (_, paths) = operation.description;
        for (path, item) in paths.paths {
            let item = serde_json::to_value(item).unwrap();
            for method in item.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                for path in std::iter::once(path.as_str()).chain(operation.aliases.iter().copied()) {
                    let before = found.insert((method.clone(), path.to_owned()), operation.declared);
                    assert!(before.is_none(), "{method} {path} is declared twice");
                }
            }
        }
    }
    found
}

/// The operations of the API document: method, path, and whether it says that no token is needed.
fn documented() -> Vec<(Method, String, bool)> {
    let document = crate::openapi::document();
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
    let rules: Vec<String> = declared()
        .keys()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let mut operations: Vec<String> = documented()
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let mut rules = rules;
    rules.sort();
    operations.sort();
    assert_eq!(rules, operations);
}

#[test]
fn what_leads_to_a_new_password_is_there_and_wants_no_right() {
    let declared = declared();
    let early: Vec<String> = declared
        .iter()
        .filter(|(_, operation)| operation.before_password_change)
        .map(|((method, path), operation)| {
            assert!(matches!(operation.rule, Rule::SignedIn | Rule::InPerson), "{path}");
            format!("{method} {path}")
        })
        .collect();
    assert_eq!(
        early,
        [
            "GET /api/auth/me",
            "GET /api/profile",
            "GET /api/users/me",
            "GET /v1/auth/me",
            "POST /api/auth/change-password",
            "POST /api/auth/logout",
            "POST /api/profile/reset-password",
            "POST /api/users/password",
            "POST /v1/auth/logout",
        ]
    );
    let machines = declared[&(Method::GET, "/api/machines".to_owned())];
    assert!(!machines.before_password_change);
}

/// Whatever writes under the nouns that people are made of, but for what concerns the caller alone and the machines of a group.
#[test]
fn what_administers_people_is_declared_so() {
    let nouns = ["/api/users", "/api/roles", "/api/groups", "/v1/users"];
    let mut found = 0;
    for ((method, path), operation) in declared() {
        let theirs = nouns.iter().any(|noun| path.starts_with(noun))
            && operation.effect == Effect::Writes
            && !matches!(operation.rule, Rule::SignedIn | Rule::InPerson)
            && !path.contains("/machines")
            // Lends machines, as whoever manages them may.
            && path != "/v1/users/{user_id}/permissions"
            // Makes an organization, with somebody in it.
            || path == "/v1/organizations" && operation.effect == Effect::Writes;
        assert_eq!(operation.of_people, theirs, "{method} {path}");
        found += usize::from(theirs);
    }
    assert!(found > 10, "{found}");
}

#[test]
fn the_document_says_of_exactly_the_open_operations_that_they_need_no_token() {
    let declared = declared();
    for (method, path, open) in documented() {
        let rule = declared[&(method.clone(), path.clone())].rule;
        assert_eq!(rule == Rule::Open, open, "{method} {path}");
    }
}

#[test]
fn an_upgrade_counts_as_a_write() {
    let upgrade: HeaderMap = [("upgrade".parse().unwrap(), "websocket".parse().unwrap())]
        .into_iter()
        .collect();
    let of = |methods: &[HttpMethod], headers: &HeaderMap| {
        Operation::from(Rule::Object).with(methods).asked_with(headers).effect
    };
    assert_eq!(of(&[HttpMethod::Get], &HeaderMap::new()), Effect::Reads);
    assert_eq!(of(&[HttpMethod::Get], &upgrade), Effect::Writes);
    assert_eq!(of(&[HttpMethod::Post], &HeaderMap::new()), Effect::Writes);
    assert_eq!(
        of(&[HttpMethod::Get, HttpMethod::Post], &HeaderMap::new()),
        Effect::Writes
    );
}
