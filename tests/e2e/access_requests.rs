//! `/api/access-requests`: asking for a machine, and what comes of it.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, send};
use crate::support::agent::Agent;
use crate::support::mail::letter;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo, super_admin};
use crate::support::viewer::Viewer;

/// An administrator, the owner of a machine that nothing runs on, somebody who may not use it, and the machine.
async fn team(stack: &Stack) -> (Account, Account, Account, Value) {
    let admin = Account::new(stack).await;
    let (owner, guest) = (join(stack, &admin, "user").await, join(stack, &admin, "user").await);
    let body = json!({"name": "wanted", "allow_sudo": true});
    let machine = owner.post("/api/machines", body).await.ok();
    (admin, owner, guest, machine)
}

/// Asks for a machine; the request's id.
async fn ask(who: &Account, body: Value) -> String {
    let made = who.post("/api/access-requests", body).await;
    assert_eq!(made.status, 201, "{made:#?}");
    made.body["id"].as_str().expect("an id").to_owned()
}

/// Refused in the published words, with what is missing beside them.
fn for_administrators(answer: &Answer) {
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (403, &json!("Admin access required"))
    );
}

fn decide(id: &str, what: &str) -> String {
    format!("/api/access-requests/{id}/{what}")
}

/// A request, as far as it does not differ between runs.
fn fixed(mut request: Value) -> Value {
    assert!(hex(take(&mut request, "id").as_str().expect("an id"), 24));
    for time in ["requested_at", "updated_at"] {
        assert!(is_recent(&take(&mut request, time)));
    }
    request
}

#[tokio::test]
async fn a_request_is_answered_with_all_that_there_is_to_know_of_it() {
    let stack = Stack::shared().await;
    let (admin, owner, guest, machine) = team(stack).await;
    let body = json!({"machine_id": machine["id"], "duration_hours": 2, "request_note": " the disk is full\n", "machine_role": "sudo"});
    let made = guest.post("/api/access-requests", body.clone()).await;
    assert_eq!(made.status, 201);
    let made = made.ok();
    let id = made["id"].as_str().expect("an id").to_owned();
    let mut expected = json!({
        "machine_id": machine["id"], "machine_name": "wanted", "machine_agent_id": machine["agent_id"],
        "requester_id": guest.id, "requester_username": guest.username, "requester_email": guest.email,
        "tenant_id": admin.username, "owner_id": owner.id, "owner_username": owner.username, "owner_email": owner.email,
        "request_note": "the disk is full", "machine_role": "allow_sudo", "duration_hours": 2, "status": "pending",
        "approved_by": null, "approved_at": null, "expires_at": null, "rejected_by": null, "reject_comment": "",
        "revoked_by": null, "revoked_at": null
    });
    assert_eq!(fixed(made), expected);
    assert_eq!(guest.post("/api/access-requests", body).await.refusal().0, 409);

    for (who, path) in [
        (&guest, "/api/access-requests/my".to_owned()),
        (&owner, "/api/access-requests/to-decide".to_owned()),
        (&admin, "/api/access-requests/to-decide".to_owned()),
        (
            &owner,
            format!(
                "/api/machines/{}/access-requests",
                machine["agent_id"].as_str().expect("an id")
            ),
        ),
        (
            &admin,
            format!("/api/access-requests?status=pending&search={}&limit=1", guest.username),
        ),
    ] {
        let mut list = who.get(&path).await.ok();
        let requests = take(&mut list, "requests");
        assert_eq!(
            list,
            json!({"total": 1, "page": 1, "limit": 1, "total_pages": 1}),
            "{path}"
        );
        assert_eq!(requests.as_array().map(Vec::len), Some(1), "{path}");
        assert_eq!(fixed(requests[0].clone()), expected, "{path}");
    }
    let count = format!(
        "/api/machines/{}/pending-requests-count",
        machine["agent_id"].as_str().expect("an id")
    );
    assert_eq!(owner.get(&count).await.ok(), json!({"count": 1}));

    let mut answer = owner.post(&decide(&id, "approve"), json!({})).await.ok();
    let mut request = fixed(take(&mut answer, "request"));
    assert_eq!(answer, json!({"message": "Access request approved"}));
    assert!(is_recent(&take(&mut request, "approved_at")));
    let ends: chrono::DateTime<chrono::Utc> = take(&mut request, "expires_at")
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let minutes = (ends - chrono::Utc::now()).num_minutes();
    assert!((118..=120).contains(&minutes), "{minutes}");
    for gone in ["approved_at", "expires_at"] {
        take(&mut expected, gone);
    }
    expected["approved_by"] = json!(owner.username);
    expected["status"] = json!("approved");
    assert_eq!(request, expected);
    assert_eq!(owner.get(&count).await.ok(), json!({"count": 0}));

    let log = admin.get("/api/audit?action=access_request_approved").await.ok();
    let approved = &log["logs"][0];
    assert_eq!(
        (&approved["username"], &approved["resource_id"]),
        (&json!(owner.username), &machine["id"])
    );
    assert_eq!(
        approved["details"],
        json!({"machine": "wanted", "agent_id": machine["agent_id"], "request_id": id, "user_id": guest.id,
            "username": guest.username, "machine_role": "allow_sudo", "duration_hours": 2,
            "expires_at": ends.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)})
    );
}

#[tokio::test]
async fn a_request_gives_access_once_it_is_approved_and_until_it_is_revoked() {
    let stack = Stack::shared().await;
    let (admin, owner, guest, machine) = team(stack).await;
    let path = format!("/api/machines/{}", machine["agent_id"].as_str().expect("an id"));
    let id = ask(&guest, json!({"machine_id": machine["agent_id"]})).await;
    assert_eq!(guest.get(&path).await.refusal(), (403, "Not authorized".to_owned()));
    let approved = admin.post(&decide(&id, "approve"), json!({})).await.ok();
    assert_eq!(approved["request"]["expires_at"], Value::Null, "no time was asked for");
    assert_eq!(
        guest.get(&path).await.ok()["allowed_users"],
        json!([owner.username, guest.username])
    );
    let users = owner.get(&format!("{path}/access/users")).await.ok();
    let listed = users["users"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|user| user["user_id"] == guest.id);
    let listed = listed.unwrap_or_else(|| panic!("{users:#}"));
    assert_eq!(
        (&listed["ways"], &listed["granted_by"]),
        (&json!(["request"]), &json!(admin.username))
    );
    assert_eq!(guest.get("/api/machines").await.ok()["total"], 1);

    for_administrators(&owner.post(&decide(&id, "revoke"), json!({})).await);
    let revoked = admin.post(&decide(&id, "revoke"), json!({})).await.ok();
    assert_eq!(revoked["message"], "Access request revoked");
    assert_eq!(
        (&revoked["request"]["status"], &revoked["request"]["revoked_by"]),
        (&json!("revoked"), &json!(admin.username))
    );
    assert_eq!(guest.get(&path).await.refusal().0, 403);
    let list = guest.get("/api/access-requests/my").await.ok();
    assert_eq!(list["requests"][0]["status"], "revoked");
}

#[tokio::test]
async fn a_request_is_decided_by_those_who_manage_the_machine_and_only_once() {
    let stack = Stack::shared().await;
    let (admin, owner, guest, machine) = team(stack).await;
    let (third, stranger, root) = (
        join(stack, &admin, "user").await,
        Account::new(stack).await,
        super_admin(stack).await,
    );
    let id = ask(&guest, json!({"machine_id": machine["id"]})).await;
    for what in ["approve", "reject"] {
        let body = json!({"comment": "no"});
        for who in [&guest, &third] {
            let answer = who.post(&decide(&id, what), body.clone()).await;
            assert_eq!(answer.refusal(), (403, "Not authorized".to_owned()), "{what}");
        }
        let answer = stranger.post(&decide(&id, what), body.clone()).await;
        assert_eq!(answer.refusal(), (404, "Access request not found".to_owned()), "{what}");
        let answer = owner.anonymous.ask(Method::POST, &decide(&id, what), Some(body)).await;
        assert_eq!(answer.refusal().0, 401, "{what}");
    }
    for (body, error) in [
        (json!({}), "comment is required"),
        (
            json!({"comment": "a".repeat(1001)}),
            "comment must have at most 1000 characters",
        ),
    ] {
        assert_eq!(
            owner.post(&decide(&id, "reject"), body).await.refusal(),
            (400, error.to_owned())
        );
    }
    let rejected = root
        .post(&decide(&id, "reject"), json!({"comment": "ask me first"}))
        .await
        .ok();
    assert_eq!(rejected["message"], "Access request rejected");
    assert_eq!(
        (
            &rejected["request"]["rejected_by"],
            &rejected["request"]["reject_comment"]
        ),
        (&json!(root.username), &json!("ask me first"))
    );
    for (what, error) in [
        ("approve", "The request is rejected, not pending"),
        ("reject", "The request is rejected, not pending"),
        ("revoke", "The request is rejected, not approved"),
    ] {
        let answer = admin.post(&decide(&id, what), json!({"comment": "no"})).await;
        assert_eq!(answer.refusal(), (400, error.to_owned()), "{what}");
    }
    // And may be made again, and taken back by whoever made it, and nobody else.
    let again = ask(&guest, json!({"machine_id": machine["id"]})).await;
    let path = format!("/api/access-requests/{again}");
    assert_eq!(owner.delete(&path).await.refusal(), (403, "Not authorized".to_owned()));
    assert_eq!(stranger.delete(&path).await.refusal().0, 404);
    assert_eq!(
        guest.delete(&path).await.ok(),
        json!({"message": "Access request cancelled"})
    );
    assert_eq!(guest.delete(&path).await.refusal().0, 404);
    // An administrator may ask, and somebody else approves.
    let own = ask(&admin, json!({"machine_id": machine["id"]})).await;
    assert_eq!(admin.post(&decide(&own, "approve"), json!({})).await.refusal().0, 403);
    owner.post(&decide(&own, "approve"), json!({})).await.ok();
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_in_words() {
    let stack = Stack::shared().await;
    let (admin, owner, guest, machine) = team(stack).await;
    let (stranger, root) = (Account::new(stack).await, super_admin(stack).await);
    let plain = owner.post("/api/machines", json!({"name": "plain"})).await.ok();
    let id = &machine["id"];
    for (who, body, status, error) in [
        (&guest, json!({}), 400, "machine_id must have 1 to 64 characters"),
        (&guest, json!({"machine_id": "web"}), 400, "invalid machine_id"),
        (
            &guest,
            json!({"machine_id": id, "duration_hours": 8761}),
            400,
            "duration_hours must be 1 to 8760, or 0 for no end",
        ),
        (
            &guest,
            json!({"machine_id": id, "machine_role": "root"}),
            400,
            "machine_role must be allow_sudo, non_sudo or empty",
        ),
        (
            &guest,
            json!({"machine_id": plain["id"], "machine_role": "sudo"}),
            400,
            "machine_role cannot be allow_sudo: the machine was enrolled without privileges",
        ),
        (
            &guest,
            json!({"machine_id": "00000000000000000000000a"}),
            404,
            "Machine not found",
        ),
        (&owner, json!({"machine_id": id}), 400, "You own this machine"),
        (&stranger, json!({"machine_id": id}), 404, "Machine not found"),
        (
            &root,
            json!({"machine_id": id}),
            403,
            "The machine belongs to another organization",
        ),
    ] {
        let answer = who.post("/api/access-requests", body.clone()).await;
        assert_eq!(answer.refusal(), (status, error.to_owned()), "{body}");
    }
    let bad = admin.get("/api/access-requests?status=open").await;
    assert_eq!(
        bad.refusal(),
        (
            400,
            "status must be pending, approved, rejected, expired or revoked".to_owned()
        )
    );
    assert_eq!(admin.get("/api/access-requests").await.refusal().0, 400);
    for_administrators(&guest.get("/api/access-requests?status=pending").await);
    let machines = guest.get("/api/access-requests/machines?search=WANT").await.ok();
    assert_eq!(
        machines,
        json!({"machines": [{"machine_id": id, "agent_id": machine["agent_id"], "name": "wanted", "owner": owner.username, "pending": false}],
            "total": 1, "page": 1, "limit": 10, "total_pages": 1})
    );
    let tenant = format!("/api/access-requests?status=pending&tenant_id={}", admin.username);
    assert_eq!(stranger.get(&tenant).await.ok()["total"], 0);
    assert_eq!(send(root.request(Method::GET, &tenant)).await.ok()["total"], 0);
    ask(&guest, json!({"machine_id": id})).await;
    assert_eq!(stranger.get(&tenant).await.ok()["total"], 0);
    assert_eq!(root.get(&tenant).await.ok()["total"], 1);
}

#[tokio::test]
async fn those_who_decide_are_told_and_so_is_whoever_asked() {
    let stack = Stack::start(&[]).await;
    let (admin, owner, guest, machine) = team(&stack).await;
    let body = json!({"machine_id": machine["id"], "duration_hours": 24, "request_note": "the disk is full"});
    let id = ask(&guest, body.clone()).await;
    let subject = format!("{} asks for wanted", guest.username);
    for decider in [&owner, &admin] {
        let told = letter(&stack, &decider.email, &subject).await;
        assert!(
            told.text.contains("for 1 day.") && told.text.contains("The reason: the disk is full"),
            "{told:#?}"
        );
        assert_eq!(told.link("/requests"), format!("{}/requests", stack.url));
    }
    owner.post(&decide(&id, "approve"), json!({})).await.ok();
    let told = letter(&stack, &guest.email, "Your request for wanted was approved").await;
    let page = format!("/machines/{}", machine["agent_id"].as_str().expect("an id"));
    assert_eq!(told.link(&page), format!("{}{page}", stack.url));
    admin.post(&decide(&id, "revoke"), json!({})).await.ok();
    letter(&stack, &guest.email, "Your request for wanted was revoked").await;
    let id = ask(&guest, body).await;
    owner
        .post(&decide(&id, "reject"), json!({"comment": "not today"}))
        .await
        .ok();
    let told = letter(&stack, &guest.email, "Your request for wanted was rejected").await;
    assert!(told.text.contains("The reason: not today"), "{told:#?}");
}

#[tokio::test]
async fn the_time_of_a_request_ends_once_and_the_log_says_so() {
    let stack = Stack::start(&[]).await;
    let (admin, owner, guest, machine) = team(&stack).await;
    let id = ask(&guest, json!({"machine_id": machine["id"], "duration_hours": 1})).await;
    owner.post(&decide(&id, "approve"), json!({})).await.ok();
    let later = (chrono::Utc::now() + chrono::TimeDelta::hours(2)).to_rfc3339();
    for _ in 0..2 {
        stack.scheduled(&later);
    }
    let list = admin.get("/api/access-requests?status=expired").await.ok();
    assert_eq!((&list["total"], &list["requests"][0]["id"]), (&json!(1), &json!(id)));
    assert_eq!(admin.get("/api/access-requests?status=approved").await.ok()["total"], 0);
    let log = admin.get("/api/audit?action=access_request_expired").await.ok();
    assert_eq!(
        (&log["total"], &log["logs"][0]["source"]),
        (&json!(1), &json!("system"))
    );
    assert_eq!(log["logs"][0]["details"]["username"], guest.username);
}

#[tokio::test]
async fn a_terminal_opens_by_an_approved_request_and_ends_when_it_is_revoked_or_its_time_is_over() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let guest = join(stack, &admin, "user").await;
    // Where the tests run as root, nobody else gets a shell.
    may_sudo(stack, &guest);
    let agent = Agent::new(&admin, "wanted").await;
    let body = json!({"machine_id": agent.agent_id, "duration_hours": 1});
    let id = ask(&guest, body.clone()).await;
    // An administrator that is not the requester.
    admin.post(&decide(&id, "approve"), json!({})).await.ok();
    let mut viewer = Viewer::attached(&guest, &agent, "asked").await;
    viewer.run("echo lent-$((40+2))", "lent-42").await;
    admin.post(&decide(&id, "revoke"), json!({})).await.ok();
    assert_eq!(viewer.wait_closed().await, (1008, "Access revoked".to_owned()));

    let id = ask(&guest, body).await;
    admin.post(&decide(&id, "approve"), json!({})).await.ok();
    let mut viewer = Viewer::attached(&guest, &agent, "asked-again").await;
    viewer.run("echo again-$((40+2))", "again-42").await;
    stack.sql(&format!(
        "UPDATE access_requests SET expires_at = '2026-01-01T00:00:00.000Z' WHERE id = '{id}'"
    ));
    stack.scheduled(&chrono::Utc::now().to_rfc3339());
    assert_eq!(viewer.wait_closed().await, (1008, "Access revoked".to_owned()));
    let path = format!("/api/machines/{}", agent.agent_id);
    assert_eq!(guest.get(&path).await.refusal().0, 403);
    assert_eq!(
        guest.get("/api/access-requests/my").await.ok()["requests"][0]["status"],
        "expired"
    );
}
