//! What `/api` answers, in the words of `/v1`.
use serde_json::{Map, Value};

use crate::platform::error::ApiError;

/// Some fields of an object: by their names in what is made and in what there is.
pub fn pick(of: &Value, names: &[(&str, &str)]) -> Map<String, Value> {
    let value = |here: &str| of.get(here).cloned().unwrap_or_default();
    let found = names.iter().map(|(there, here)| ((*there).to_owned(), value(here)));
    found.collect()
}

/// A text of an object; empty if it has none of that name.
pub fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The id of an account here.
pub fn user_id(of: &Value) -> Value {
    format!("usr_{}", text(of, "id")).into()
}

/// What somebody is.
pub fn role(of: &Value) -> Value {
    match text(of, "role") {
        "company_admin" => "admin".into(),
        "user" => "member".into(),
        other => other.into(),
    }
}

/// What somebody is to be, as `/api` has it.
pub fn role_of(text: &str) -> Result<&'static str, ApiError> {
    match text {
        "admin" => Ok("company_admin"),
        "member" => Ok("user"),
        "viewer" => Err(ApiError::invalid_field(
            "role",
            "must be admin or member: there is nobody who sees machines and may not use them",
        )),
        _ => Err(ApiError::invalid_field("role", "must be admin or member")),
    }
}

/// First and last name, or else the username.
pub fn name(of: &Value) -> Value {
    let full = format!("{} {}", text(of, "first_name"), text(of, "last_name"));
    match full.trim() {
        "" => text(of, "username").into(),
        full => full.into(),
    }
}

/// The first name and the rest of a name.
pub fn names(name: &str) -> (&str, &str) {
    let name = name.trim();
    let (first, rest) = name.split_once(' ').unwrap_or((name, ""));
    (first, rest.trim())
}

/// Who somebody is: id, address, name, role, and what else is named.
pub fn person(of: &Value, more: &[(&str, &str)]) -> Map<String, Value> {
    let mut person = pick(of, more);
    for (field, value) in [
        ("id", user_id(of)),
        ("email", text(of, "email").into()),
        ("name", name(of)),
        ("role", role(of)),
    ] {
        person.insert(field.to_owned(), value);
    }
    person
}

/// Somebody in a list.
pub fn listed(of: &Value) -> Value {
    Value::Object(account(of))
}

/// Who somebody is, and whether and since when they are here.
pub fn account(of: &Value) -> Map<String, Value> {
    let mut person = person(of, &[("last_login", "last_login"), ("created_at", "created_at")]);
    let is = |name: &str| of.get(name) == Some(&Value::Bool(true));
    let status = match (is("pending"), is("enabled")) {
        (true, _) => "pending",
        (false, true) => "active",
        (false, false) => "disabled",
    };
    person.insert("status".to_owned(), status.into());
    person
}

/// A page of a list, which is called so here and there.
pub fn list((here, there): (&str, &str), of: &Value, each: fn(&Value) -> Value) -> Value {
    let rows = of.get(there).and_then(Value::as_array);
    let rows: Vec<Value> = rows.into_iter().flatten().map(each).collect();
    let names = ["page", "limit", "total", "total_pages"].map(|name| (name, name));
    let mut list = Map::new();
    list.insert(here.to_owned(), rows.into());
    list.insert("pagination".to_owned(), Value::Object(pick(of, &names)));
    Value::Object(list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn somebody_is_called_by_their_names_or_else_by_their_username() {
        for (first, last, expected) in [
            ("Ann", "Smith", "Ann Smith"),
            ("Ann", "", "Ann"),
            ("", "Smith", "Smith"),
            ("", "", "ann"),
        ] {
            let of = json!({"first_name": first, "last_name": last, "username": "ann"});
            assert_eq!(name(&of), expected);
        }
        for (name, expected) in [
            ("Ann Smith", ("Ann", "Smith")),
            (" Ann  van Dyk ", ("Ann", "van Dyk")),
            ("Ann", ("Ann", "")),
            (" ", ("", "")),
        ] {
            assert_eq!(names(name), expected);
        }
    }

    #[test]
    fn roles_have_other_names_and_a_viewer_is_nobody() {
        for (there, here) in [
            ("company_admin", "admin"),
            ("user", "member"),
            ("super_admin", "super_admin"),
        ] {
            assert_eq!(role(&json!({"role": there})), here);
        }
        assert_eq!(role_of("admin").unwrap(), "company_admin");
        assert_eq!(role_of("member").unwrap(), "user");
        for (bad, why) in [
            ("viewer", "nobody who sees"),
            ("super_admin", "role must be"),
            ("", "role must be"),
        ] {
            assert!(role_of(bad).unwrap_err().text().contains(why), "{bad}");
        }
    }

    #[test]
    fn a_list_is_said_in_other_words() {
        let ann = json!({"id": "0a", "email": "ann@example.com", "username": "ann", "role": "user", "enabled": true,
            "pending": false, "last_login": null, "created_at": "2026-01-01T00:00:00Z", "secret": 1});
        let of = json!({"users": [ann], "page": 2, "limit": 1, "total": 2, "total_pages": 2, "per_page": 1});
        let expected = json!({"id": "usr_0a", "email": "ann@example.com", "name": "ann", "role": "member", "status": "active",
            "last_login": null, "created_at": "2026-01-01T00:00:00Z"});
        assert_eq!(
            list(("people", "users"), &of, listed),
            json!({"people": [expected], "pagination": {"page": 2, "limit": 1, "total": 2, "total_pages": 2}})
        );
        for (pending, enabled, status) in [(true, false, "pending"), (false, false, "disabled")] {
            let of = json!({"pending": pending, "enabled": enabled});
            assert_eq!(listed(&of)["status"], status);
        }
    }
}
