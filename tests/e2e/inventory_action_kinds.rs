//! What types of an organization's own have done: instances halted, and scripts that are about all of a type.
use serde_json::{Value, json};

use crate::inventory_actions::{newest_entry, over, starts, thing};
use crate::jobs::{lines, runner, runner_at};
use crate::support::account::Account;
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::vultr::{KEY, Vultr};

/// Makes a type with a name and these actions.
async fn makes(owner: &Account, slug: &str, actions: Value) {
    let fields = json!([{"name": "name", "type": "string", "required": true, "unique": true}]);
    let body = json!({"slug": slug, "label": "Box", "fields": fields, "actions": actions});
    assert_eq!(owner.post("/api/inventory/types", body).await.status, 201);
}

#[tokio::test]
async fn the_instances_of_a_service_are_halted_as_what_the_thing_may_have_done() {
    let vultr = Vultr::start().await;
    let stack = Stack::start(&[("VULTR_API_URL", &vultr.url)]).await;
    let runner = runner_at(&stack, "stops", &[]).await;
    let owner = &runner.owner;
    owner.put("/api/instances/provider", json!({"api_key": KEY})).await.ok();
    let [web, db] = [("a", "web"), ("b", "db")].map(|(label, tag)| vultr.adds(label, "mel", &[tag]));
    let id = thing(owner, "service", "web").await;
    let path = format!("/api/inventory/service/{id}/actions/stop");
    let colleague = join(&stack, owner, "user").await;
    let refused = colleague.post(&path, json!({})).await.refusal();
    assert_eq!(refused, (403, "Permission denied: inventory.service.stop".to_owned()));
    allow(owner, &colleague, &["inventory.service.stop", "jobs.view_own"]).await;
    let job = starts(&colleague, &path, json!({})).await;
    let done = over(&colleague, &job).await;
    let number: i64 = id.parse().expect("a number");
    assert_eq!(
        (
            &done["action"],
            &done["service"],
            &done["object_id"],
            &done["type_slug"],
            &done["status"]
        ),
        (
            &json!("stop"),
            &json!("web"),
            &json!(number),
            &json!("service"),
            &json!("completed")
        )
    );
    let wrote = lines(&done);
    assert_eq!(wrote[0], "--- Running stop (script_stop) ---");
    assert!(wrote.contains(&"Stopped a (mel)"), "{wrote:#?}");
    let power = [&web, &db].map(|id| vultr.power_of(id).expect("it is there"));
    assert_eq!(power, ["stopped", "running"]);
    assert_eq!(
        newest_entry(owner, "inventory.action.stop").await,
        (
            json!(format!("inventory/service/{id}")),
            json!({"action": "stop", "job_id": job})
        )
    );

    // The same of a type of one's own, which says whose instances they are.
    makes(
        owner,
        "cluster",
        json!([{"name": "halt", "type": "script_stop", "service": "web"}]),
    )
    .await;
    let one = owner
        .post("/api/inventory/cluster", json!({"data": {"name": "one"}}))
        .await
        .ok()["id"]
        .to_string();
    let path = format!("/api/inventory/cluster/{one}/actions/halt");
    let done = over(owner, &starts(owner, &path, json!({})).await).await;
    assert_eq!(done["status"], "completed");
    assert!(lines(&done).contains(&"a (mel) is stopped already"), "{done:#}");
}

#[tokio::test]
async fn a_script_that_is_about_all_of_a_type_runs_once_and_names_the_type_alone() {
    let runner = runner("counts", &[("count.sh", "echo \"counts $INPUT_WHAT\"\n")]).await;
    let owner = &runner.owner;
    let actions = json!([
        {"name": "count", "type": "script", "scope": "type", "service": "web", "script": "count.sh"},
        {"name": "one", "type": "script", "service": "web", "script": "count.sh"}
    ]);
    makes(owner, "box", actions).await;
    let path = "/api/inventory/box/actions/count";
    let colleague = join(Stack::shared().await, owner, "user").await;
    let refused = colleague.post(path, json!({})).await.refusal();
    assert_eq!(refused, (403, "Permission denied: inventory.box.count".to_owned()));
    allow(owner, &colleague, &["inventory.box.count", "jobs.view_own"]).await;
    let job = starts(&colleague, path, json!({"inputs": {"what": "boxes"}})).await;
    let done = over(&colleague, &job).await;
    assert_eq!(
        (
            &done["action"],
            &done["service"],
            &done["object_id"],
            &done["type_slug"],
            &done["exit_code"]
        ),
        (&json!("count"), &json!("box"), &Value::Null, &json!("box"), &json!(0))
    );
    let wrote = lines(&done);
    assert_eq!(wrote[0], "--- Running count (script) ---");
    assert!(wrote.contains(&"counts boxes"), "{wrote:#?}");
    assert_eq!(
        newest_entry(owner, "inventory.action.count").await,
        (
            json!("inventory/box"),
            json!({"action": "count", "scope": "type", "job_id": job})
        )
    );
    // What is about one thing is nothing that all of a type have done.
    let of_one = owner.post("/api/inventory/box/actions/one", json!({})).await.refusal();
    assert_eq!(of_one, (404, "Type action 'one' not found".to_owned()));
}
