//! Signing in to one of several organizations, and switching among them.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Anonymous, PASSWORD, send};
use crate::support::sign_in::{ask, company, login, me, somebody_of_two, text, unique};
use crate::support::stack::Stack;

#[tokio::test]
async fn an_address_with_several_organizations_chooses_and_switches_among_those_its_password_opens() {
    let stack = Stack::shared().await;
    let anyone = Anonymous::at(stack);
    let (email, [one, other]) = somebody_of_two(&anyone).await;
    let third = unique("third");
    let mut body = company(&unique("user"), &email, &third);
    body["password"] = json!("another password");
    body["confirm_password"] = json!("another password");
    ask(&anyone, None, "/api/auth/signup", body).await.ok();

    let choice = login(&anyone, json!({"email": email, "password": PASSWORD})).await;
    assert_eq!(choice["requires_tenant_selection"], true);
    assert!(choice.get("token").is_none());
    let mut listed: Vec<String> = choice["tenants"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|tenant| text(&tenant["tenant_id"]))
        .collect();
    listed.sort();
    let mut expected = vec![one.clone(), other.clone()];
    expected.sort();
    assert_eq!(listed, expected);

    let select = async |session: &Value, tenant: &str| {
        let body = json!({"session_token": session, "tenant_id": tenant});
        ask(&anyone, None, "/api/auth/select-tenant", body).await
    };
    let session = &choice["session_token"];
    let in_one = select(session, &one).await.ok();
    assert_eq!(in_one["user"]["tenant_id"], one);
    assert_eq!(&in_one["session_token"], session, "it stays");
    let in_other = select(session, &other).await.ok();
    assert_eq!(in_other["user"]["tenant_id"], other);
    assert_eq!(
        select(session, &third).await.refusal(),
        (403, "Access to this tenant is not allowed".to_owned())
    );
    for bad in [&in_one["token"], &json!("garbage")] {
        assert_eq!(
            select(bad, &one).await.refusal(),
            (401, "Invalid or expired session".to_owned())
        );
    }

    // The community route signs in where one was last.
    let last = ask(
        &anyone,
        None,
        "/api/login",
        json!({"email": email, "password": PASSWORD}),
    )
    .await
    .ok();
    assert_eq!(last["user"]["tenant_id"], other);
    assert_eq!(last["available_tenants"].as_array().expect("a list").len(), 2);

    // Signing out of one organization ends the sign-in in all of them.
    let bearer = |token: &Value, path: &str| anyone.request(Method::POST, path).bearer_auth(text(token));
    send(bearer(&in_one["token"], "/api/auth/logout")).await.ok();
    for token in [&in_one["token"], &in_other["token"]] {
        assert_eq!(me(&anyone, token).await.refusal().0, 401);
        assert_eq!(
            send(bearer(token, "/api/auth/refresh")).await.refusal(),
            (401, "Invalid token".to_owned())
        );
    }
    assert_eq!(select(session, &other).await.refusal().0, 401);

    // And so does a change of the password.
    let session = &last["session_token"];
    let body = json!({"current_password": PASSWORD, "new_password": "a new password"});
    send(bearer(&last["token"], "/api/auth/change-password").json(&body))
        .await
        .ok();
    assert_eq!(select(session, &one).await.refusal().0, 401);

    stack.sql(&format!(
        "UPDATE organizations SET disabled_at = '2026-01-01T00:00:00.000Z' WHERE slug = '{one}'"
    ));
    let refused = ask(
        &anyone,
        None,
        "/api/auth/login",
        json!({"email": email, "password": PASSWORD}),
    )
    .await;
    assert_eq!(
        refused.refusal(),
        (401, "Invalid credentials".to_owned()),
        "an organization that is disabled"
    );
}

#[tokio::test]
async fn a_disabled_account_or_organization_is_said_to_whoever_chooses_it() {
    let stack = Stack::shared().await;
    let anyone = Anonymous::at(stack);
    let (email, [one, other]) = somebody_of_two(&anyone).await;
    let session = login(&anyone, json!({"email": email, "password": PASSWORD})).await["session_token"].clone();
    let select = async |tenant: &str| {
        let body = json!({"session_token": session, "tenant_id": tenant});
        ask(&anyone, None, "/api/auth/select-tenant", body).await.refusal()
    };
    stack.sql(&format!(
        "UPDATE organizations SET disabled_at = 'x' WHERE slug = '{one}'"
    ));
    assert_eq!(select(&one).await, (403, "Organization is disabled".to_owned()));
    stack.sql(&format!(
        "UPDATE users SET disabled_at = 'x' WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{other}')"
    ));
    assert_eq!(select(&other).await, (403, "Account is disabled".to_owned()));
    stack.sql(&format!(
        "UPDATE users SET deleted_at = 'x' WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{other}')"
    ));
    assert_eq!(select(&other).await, (401, "User not found".to_owned()));
}
