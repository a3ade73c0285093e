//! Seeing people: lists, single accounts, files.
use reqwest::Method;
use serde_json::json;

use super::{names, person, redact, team, user};
use crate::support::account::Account;
use crate::support::redact::{hex, is_recent, take};
use crate::support::team::super_admin;

#[tokio::test]
async fn administrators_list_the_people_of_their_organization() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let refused = admin.anonymous.ask(Method::GET, "/api/users", None).await.refusal();
    assert_eq!(refused.0, 401);
    let denied = colleague.get("/api/users").await;
    let expected =
        json!({"error": "Admin access required", "detail": "Permission denied: users.view", "code": "forbidden"});
    assert_eq!((denied.status, denied.body), (403, expected));

    let mut list = admin.get("/api/users").await.ok();
    assert!(!list.to_string().contains(&colleague.api_key) && !list.to_string().contains("hash"));
    let mut users = take(&mut list, "users");
    assert_eq!(
        list,
        json!({"total": 2, "page": 1, "limit": 2, "per_page": 2, "total_pages": 1})
    );
    let second = &mut users[1];
    redact(second);
    assert!(is_recent(&take(second, "last_login")) && is_recent(&take(second, "last_login_at")));
    let mut expected = person(&colleague, &admin.username, "user");
    take(&mut expected, "last_login");
    take(&mut expected, "last_login_at");
    expected["must_reset_password"] = json!(false);
    expected["mfa_enabled"] = json!(false);
    assert_eq!(*second, expected);
    assert_eq!(users[0]["roles"][0]["name"], "super-admin");

    assert_eq!(
        names(&stranger.get("/api/users").await.ok()),
        [stranger.username.as_str()]
    );
    let foreign = stranger
        .get(&format!("/api/users?tenant_id={}", admin.username))
        .await
        .ok();
    assert_eq!(
        names(&foreign),
        [stranger.username.as_str()],
        "only a super administrator chooses"
    );
    let found = admin
        .get(&format!("/api/users?search={}", colleague.email.to_uppercase()))
        .await
        .ok();
    assert_eq!(names(&found), [colleague.username.as_str()]);
    let page = admin.get("/api/users?page=2&per_page=1").await.ok();
    assert_eq!(
        (names(&page), &page["total"], &page["total_pages"]),
        (vec![colleague.username.as_str()], &json!(2), &json!(2))
    );
}

#[tokio::test]
async fn an_account_is_read_by_its_id_or_number_and_by_colleagues_in_part() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let mut seen = colleague.get(&user(&admin)).await.ok();
    let mut wrapped = take(&mut seen, "user");
    assert_eq!(seen, wrapped, "wrapped and flat, and no permissions");
    redact(&mut wrapped);
    let roles = take(&mut wrapped, "roles");
    assert_eq!(roles[0]["name"], "super-admin");
    let mut expected = person(&admin, &admin.username, "company_admin");
    take(&mut expected, "roles");
    assert_eq!(wrapped, expected);

    let by_admin = admin.get(&user(&colleague)).await.ok();
    assert_eq!(
        by_admin["permissions"],
        json!(["use_assigned_machines", "view_assigned_machines", "view_own_profile"])
    );
    assert_eq!(by_admin["mfa_enabled"], false);
    assert!(by_admin["last_login"].is_string() && by_admin.get("api_key").is_none());
    let by_number = admin.get(&format!("/api/users/{}", by_admin["int_id"])).await.ok();
    assert_eq!(by_number, by_admin);
    assert_eq!(
        colleague.get(&user(&colleague)).await.ok(),
        by_admin,
        "one's own account is seen whole"
    );

    let unknown = stranger.get("/api/users/00000000000000000000000a").await;
    assert_eq!(
        (unknown.status, &unknown.body["error"]),
        (404, &json!("User not found"))
    );
    for path in [user(&admin), format!("/api/users/{}", by_admin["int_id"])] {
        assert_eq!(stranger.get(&path).await.body, unknown.body);
    }
    assert_eq!(
        admin.get("/api/users/nobody").await.refusal(),
        (400, "Invalid user ID".to_owned())
    );
}

#[tokio::test]
async fn the_people_who_are_listed_are_exported_as_a_file() {
    let (stack, admin, colleague) = team().await;
    let root = super_admin(stack).await;
    let mut users = admin.get("/api/users/export?search=user").await.ok();
    let second = &mut users[1];
    assert!(hex(take(second, "id").as_str().expect("an id"), 24) && take(second, "int_id").is_i64());
    assert!(is_recent(&take(second, "created_at")) && is_recent(&take(second, "last_login_at")));
    let expected = json!({
        "username": colleague.username, "email": colleague.email, "first_name": "", "last_name": "", "role": "user", "roles": [],
        "machine_role": "", "enabled": true, "pending": false, "email_verified": false, "second_factor": false,
        "tenant_id": admin.username
    });
    assert_eq!(*second, expected);
    let names = async |caller: &Account, query: &str| -> Vec<String> {
        let users = caller.get(&format!("/api/users/export{query}")).await.ok();
        let users = users.as_array().expect("an array").iter();
        users
            .map(|user| user["username"].as_str().expect("a name").to_owned())
            .collect()
    };
    let elsewhere = format!("?tenant_id={}", admin.username);
    let both = [admin.username.clone(), colleague.username.clone()];
    assert_eq!(names(&admin, "").await, both);
    assert_eq!(names(&root, &elsewhere).await, both, "a super administrator chooses");
    assert_eq!(
        names(&admin, &format!("?tenant_id={}", root.username)).await,
        both,
        "and nobody else"
    );
    assert_eq!(names(&root, "?tenant_id=nowhere").await, [""; 0]);
    assert_eq!(
        names(&admin, &format!("?search={}", colleague.username)).await,
        both[1..]
    );
    let csv = admin
        .get(&format!("/api/users/export?format=csv&search={}", colleague.username))
        .await;
    let disposition = csv.headers["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(disposition, "attachment; filename=\"users.csv\"");
    let text = csv.ok();
    let lines: Vec<&str> = text.as_str().expect("text").lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("int_id,id,username,") && lines[1].contains(&colleague.username),
        "{lines:?}"
    );
    assert_eq!(admin.get("/api/users/export?format=xml").await.refusal().0, 400);
    assert_eq!(
        colleague.get("/api/users/export").await.refusal(),
        (403, "Permission denied: users.view".to_owned())
    );
}
