//! Things that come from somewhere by themselves, and the clock: nobody asks for a sync here.
use std::fs;

use chrono::Utc;
use serde_json::{Value, json};

use crate::inventory_actions::{over, starts, thing};
use crate::jobs::{lines, runner_at};
use crate::support::account::{Account, PASSWORD};
use crate::support::stack::Stack;
use crate::support::vultr::{KEY, Vultr};
use crate::support::wait::eventually;

/// What keeps anything from being entered in the inventory, and from being changed or removed there.
const BROKEN: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// From now on nothing is written to the things of the inventory.
fn breaks(stack: &Stack) {
    for verb in BROKEN {
        stack.sql(&format!(
            "CREATE TRIGGER broken_{verb} BEFORE {verb} ON inventory_objects BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        ));
    }
}

/// It is as before.
fn mends(stack: &Stack) {
    for verb in BROKEN {
        stack.sql(&format!("DROP TRIGGER broken_{verb}"));
    }
}

/// The clock strikes.
fn ticks(stack: &Stack) {
    stack.scheduled(&Utc::now().to_rfc3339());
}

/// The things of a type, by name.
async fn things(account: &Account, slug: &str) -> Vec<Value> {
    let mut list = account.get(&format!("/api/inventory/{slug}?order=asc")).await.ok();
    let Value::Array(mut things) = list["objects"].take() else {
        panic!("{list:#}")
    };
    things.sort_by_key(|thing| thing["name"].to_string());
    things
}

async fn names(account: &Account, slug: &str) -> Vec<String> {
    let things = things(account, slug).await;
    let name = |thing: &Value| thing["name"].as_str().expect("a name").to_owned();
    things.iter().map(name).collect()
}

/// Writes a note on a thing and gives it a tag, as people do, and gives its path.
async fn marks(account: &Account, slug: &str, name: &str) -> String {
    let tag = account.post("/api/inventory/tags", json!({"name": "ours"})).await.ok()["id"].clone();
    let path = format!("/api/inventory/{slug}/{}", thing(account, slug, name).await);
    let body = json!({"data": {"notes": "mine"}, "tag_ids": [tag]});
    account.put(&path, body).await.ok();
    path
}

/// That the note and the tag are there.
fn is_marked(thing: &Value) {
    assert_eq!(
        (&thing["data"]["notes"], &thing["tags"][0]["name"]),
        (&json!("mine"), &json!("ours")),
        "{thing:#}"
    );
}

#[tokio::test]
async fn who_gets_an_account_or_loses_it_is_in_the_inventory_or_not_once_the_clock_has_struck() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let body = json!({"username": "ada", "email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Byron"});
    let account = owner.post("/api/users", body).await;
    assert_eq!(account.status, 201);
    let account = format!("/api/users/{}", account.body["id"].as_str().expect("an id"));
    ticks(&stack);
    let mut both = vec![owner.username.clone(), "ada".to_owned()];
    both.sort();
    assert_eq!(names(&owner, "user").await, both);
    let path = marks(&owner, "user", "ada").await;
    let data = owner.get(&path).await.ok()["data"].clone();
    assert_eq!(
        (&data["email"], &data["display_name"], &data["status"]),
        (&json!("ada@example.com"), &json!("Ada Byron"), &json!("active"))
    );

    owner.put(&account, json!({"last_name": "Lovelace"})).await.ok();
    ticks(&stack);
    let renamed = owner.get(&path).await.ok();
    assert_eq!(renamed["data"]["display_name"], "Ada Lovelace");
    is_marked(&renamed);

    owner.delete(&account).await.ok();
    ticks(&stack);
    assert_eq!(owner.get(&path).await.refusal(), (404, "Object not found".to_owned()));
    assert_eq!(names(&owner, "user").await, [owner.username.as_str()]);
    assert_eq!(owner.get("/api/audit?action=inventory.sync").await.ok()["total"], 0);
}

#[tokio::test]
async fn what_could_not_be_entered_when_it_changed_is_entered_by_a_later_run_of_the_clock() {
    let vultr = Vultr::start().await;
    let stack = Stack::start(&[("VULTR_API_URL", &vultr.url)]).await;
    let runner = runner_at(&stack, "runs", &[]).await;
    let owner = &runner.owner;
    owner.put("/api/instances/provider", json!({"api_key": KEY})).await.ok();
    let refreshes = async || {
        let job = starts(owner, "/api/instances/refresh", json!({})).await;
        over(owner, &job).await
    };
    let web = vultr.adds("web", "mel", &[]);
    vultr.adds("old", "mel", &[]);
    refreshes().await;
    let path = marks(owner, "server", "web.example").await;
    thing(owner, "service", "web").await;

    breaks(&stack);
    vultr.adds("db", "fra", &[]);
    vultr.loses("old");
    vultr.halts(&web);
    let job = refreshes().await;
    // The list is as good, and that the inventory is not says the job.
    let wrote = lines(&job);
    assert_eq!(job["status"], "completed", "{wrote:#?}");
    let last = wrote.last().expect("a line");
    assert!(
        last.starts_with("[Warning: Could not sync inventory objects: "),
        "{last}"
    );
    let other = runner.service.with_file_name("mail");
    fs::create_dir(&other).expect("it is ours");
    fs::write(other.join("deploy.sh"), "").expect("it is ours");
    eventually("the other service to be known", async || {
        let services = owner.get("/api/services").await.ok();
        (services["services"].as_array().map(Vec::len) == Some(2)).then_some(())
    })
    .await;
    // The clock fares no better, however often it strikes, and says so.
    for _ in 0..2 {
        ticks(&stack);
    }
    assert_eq!(names(owner, "server").await, ["old.example", "web.example"]);
    assert_eq!(names(owner, "service").await, ["web"]);
    assert!(
        stack.log().contains("a source of the inventory is put off"),
        "{}",
        stack.log()
    );

    mends(&stack);
    ticks(&stack);
    assert_eq!(names(owner, "server").await, ["db.example", "web.example"]);
    assert_eq!(names(owner, "service").await, ["mail", "web"]);
    let kept = owner.get(&path).await.ok();
    assert_eq!(kept["data"]["power_status"], "stopped");
    is_marked(&kept);

    // What the provider did not say is not made up: neither does anything go, nor does what people wrote.
    vultr.fails(&[(500, "Internal error.")]);
    assert_eq!(refreshes().await["status"], "failed");
    let before = things(owner, "server").await;
    ticks(&stack);
    assert_eq!(things(owner, "server").await, before);
    assert_eq!(names(owner, "server").await, ["db.example", "web.example"]);
}

#[tokio::test]
async fn what_a_job_had_listed_when_it_was_called_off_is_entered_by_the_clock() {
    let vultr = Vultr::start().await;
    let stack = Stack::start(&[("VULTR_API_URL", &vultr.url)]).await;
    let owner = Account::new(&stack).await;
    owner.put("/api/instances/provider", json!({"api_key": KEY})).await.ok();
    vultr.adds("web", "mel", &[]);
    vultr.holds(true);
    let job = starts(&owner, "/api/services/actions/stop-all", json!({})).await;
    eventually("the job to wait for the provider", async || {
        let job = owner.get(&format!("/api/jobs/{job}")).await.ok();
        lines(&job).contains(&"$ POST /v2/instances/halt").then_some(())
    })
    .await;
    owner.delete(&format!("/api/jobs/{job}")).await.ok();
    vultr.holds(false);
    let job = over(&owner, &job).await;
    assert_eq!(job["cancelled"], true);
    assert!(!lines(&job).contains(&"[Inventory objects synced]"), "{job:#}");
    ticks(&stack);
    assert_eq!(names(&owner, "server").await, ["web.example"]);
}
