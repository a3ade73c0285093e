//! Letting people go.
use serde_json::{Value, json};

use super::{login, names, somebody, team, user};
use crate::support::account::PASSWORD;
use crate::support::agent::World;
use crate::support::team::join;
use crate::support::viewer::Viewer;

#[tokio::test]
async fn who_is_deleted_is_gone_and_their_machines_stay() {
    let (_, admin, colleague) = team().await;
    let machine = colleague.post("/api/machines", json!({"name": "theirs"})).await.ok();
    assert_eq!(colleague.delete(&user(&admin)).await.status, 403);
    let own = admin.delete(&user(&admin)).await;
    assert_eq!(
        (own.status, &own.body["error"]),
        (400, &json!("Cannot delete your own account"))
    );
    let gone = admin.delete(&user(&colleague)).await.ok();
    assert_eq!(
        gone,
        json!({"message": "User deleted successfully", "status": "deactivated"})
    );
    assert_eq!(colleague.get("/api/auth/me").await.status, 401);
    assert_eq!(login(&admin.anonymous, &colleague.email, PASSWORD).await.status, 401);
    assert_eq!(
        admin.get(&user(&colleague)).await.refusal(),
        (404, "User not found".to_owned())
    );
    assert_eq!(names(&admin.get("/api/users").await.ok()), [admin.username.as_str()]);
    let kept = admin
        .get(&format!(
            "/api/machines/{}",
            machine["agent_id"].as_str().expect("an id")
        ))
        .await
        .ok();
    assert_eq!(
        (&kept["owner_id"], &kept["registration_token"]),
        (&json!(admin.id), &Value::Null)
    );
    let log = admin.get("/api/audit?action=user_deleted").await.ok();
    let name = &colleague.username;
    assert_eq!(
        log["logs"][0]["details"],
        json!({"username": name, "deactivated_username": name, "email": colleague.email})
    );
    let body = json!({"username": colleague.username, "email": colleague.email});
    assert_eq!(
        admin.post("/api/users", body).await.refusal(),
        (400, "Username already exists".to_owned())
    );
    let (name, _) = somebody();
    admin
        .post("/api/users", json!({"username": name, "email": colleague.email}))
        .await
        .ok();
}

#[tokio::test]
async fn an_open_terminal_ends_when_its_owner_is_demoted_disabled_or_deleted() {
    let world = World::shared().await;
    for (index, what) in ["demoted", "disabled", "deleted"].into_iter().enumerate() {
        let other = join(world.stack, &world.owner, "user").await;
        world
            .owner
            .put(&user(&other), json!({"role": "company_admin"}))
            .await
            .ok();
        let mut viewer = Viewer::attached(&other, &world.agent, &format!("users-{index}")).await;
        viewer.run("echo here-$((40+2))", "here-42").await;
        let (answer, then) = match what {
            "demoted" => (world.owner.put(&user(&other), json!({"role": "user"})).await, 403),
            "disabled" => (world.owner.put(&user(&other), json!({"is_active": false})).await, 401),
            _ => (world.owner.delete(&user(&other)).await, 401),
        };
        answer.ok();
        assert_eq!(viewer.wait_closed().await.0, 1008, "{what}");
        let next = other.get(&format!("/api/machines/{}", world.agent.agent_id)).await;
        assert_eq!(next.status, then, "{what}");
    }
}
