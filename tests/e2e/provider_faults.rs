//! A provider that breaks off, talks nonsense, says nothing or has nothing: what is known stays whole, and each job says why it failed.
use serde_json::{Value, json};

use crate::instances::{edge, over, runs, sets_key};
use crate::support::account::Account;
use crate::support::redact::take;
use crate::support::stack::Stack;
use crate::support::vultr::{KEY, Turn, Vultr};
use crate::support::wait::eventually;

const REFRESH: &str = "/api/instances/refresh";

/// The seconds of the window in which the limit of `wrangler.toml` on requests to providers counts, and how long after it was counted a
/// request may arrive.
const WINDOW: i64 = 10_000;
const ON_ITS_WAY: i64 = 1_000;

/// What is known of instances, costs and servers, whatever the time.
async fn known(owner: &Account) -> [Value; 3] {
    let mut list = owner.get("/api/instances").await.ok();
    let age = take(&mut list, "age_seconds");
    assert!(age.as_u64().is_some_and(|age| age < 120), "{age}");
    let servers = owner.get("/api/inventory/server").await.ok();
    let mut costs = owner.get("/api/costs").await.ok();
    take(&mut costs, "generated_at");
    [list, servers, costs]
}

#[tokio::test]
async fn a_list_that_is_not_read_to_its_end_replaces_nothing_and_the_job_says_why() {
    let (_stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    for label in ["a", "b", "c"] {
        vultr.adds(label, "mel", &["web"]);
    }
    vultr.pages_of(2);
    let (job, _) = runs(&owner, REFRESH, json!({})).await;
    assert_eq!(job["status"], "completed");
    let before = known(&owner).await;
    let hosts = before[0]["instances"]["all"]["hosts"].as_object().expect("hosts");
    assert_eq!((hosts.len(), &before[1]["total"]), (3, &json!(3)));

    // It would be there, were the list read.
    vultr.adds("d", "mel", &["web"]);
    let no_list = "Vultr answered something else than a list of instances";
    for (second, words) in [
        (
            Turn::Fault(500, "Internal error."),
            "Vultr answered 500: Internal error.",
        ),
        (Turn::Fault(404, ""), "Vultr answered 404"),
        (Turn::Text("<html>502 Bad Gateway</html>"), no_list),
        (Turn::Text("{\"instances\": {}}"), no_list),
        (Turn::Text(""), no_list),
        (Turn::Half, "Vultr's answer broke off"),
    ] {
        for path in [REFRESH, "/api/costs/refresh", "/api/services/actions/stop-all"] {
            vultr.answers(&[Turn::Well, second]);
            let (job, lines) = runs(&owner, path, json!({})).await;
            assert_eq!(job["status"], "failed", "{path}: {lines:#?}");
            assert_eq!(lines.last(), Some(&format!("[ERROR: {words}]")), "{path}: {second:?}");
            assert_eq!(known(&owner).await, before, "{path}: {second:?}");
        }
    }
    let (job, _) = runs(&owner, REFRESH, json!({})).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(known(&owner).await[1]["total"], 4);
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_given_up_and_nobody_waits_for_it_meanwhile() {
    let (_stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    vultr.adds("web", "mel", &[]);
    runs(&owner, REFRESH, json!({})).await;
    let before = known(&owner).await;
    let asked = vultr.asked().len();
    vultr.answers(&[Turn::Silence]);
    let started = owner.post(REFRESH, json!({})).await.ok();
    let id = started["job_id"].as_str().expect("an id");
    eventually("the provider to be asked", async || {
        (vultr.asked().len() > asked).then_some(())
    })
    .await;
    assert_eq!(known(&owner).await, before);
    let job = owner.get(&format!("/api/jobs/{id}")).await.ok();
    assert_eq!(job["status"], "running", "{job:#}");
    let (job, lines) = over(&owner, id).await;
    assert_eq!(job["status"], "failed");
    let words = "[ERROR: Vultr did not answer within 10 seconds]";
    assert_eq!(lines.last().map(String::as_str), Some(words));
    assert_eq!(known(&owner).await, before);
}

#[tokio::test]
async fn an_account_without_instances_is_a_list_that_is_empty_and_no_fault() {
    let (_stack, vultr, owner) = edge().await;
    sets_key(&owner).await;
    vultr.adds("web", "mel", &["web"]);
    runs(&owner, REFRESH, json!({})).await;
    assert_eq!(known(&owner).await[1]["total"], 1);
    vultr.loses("web");
    let (job, lines) = runs(&owner, REFRESH, json!({})).await;
    assert_eq!(job["status"], "completed");
    assert!(lines.contains(&"0 instances".to_owned()), "{lines:#?}");
    let [list, servers, costs] = known(&owner).await;
    assert_eq!(list["instances"], json!({"all": {"hosts": {}, "children": {}}}));
    assert_eq!(
        (&list["left_out"], &servers["total"], &costs["total_monthly_cost"]),
        (&json!(0), &json!(0), &json!(0.0))
    );
    let (job, lines) = runs(&owner, "/api/services/actions/stop-all", json!({})).await;
    assert_eq!(job["status"], "completed");
    assert!(lines.contains(&"[No instance to stop]".to_owned()), "{lines:#?}");
}

#[tokio::test]
async fn all_organizations_of_a_deployment_share_one_limit_and_whoever_is_over_it_waits() {
    const LIMIT: usize = 3;
    let vultr = Vultr::start().await;
    let limit = LIMIT.to_string();
    let stack = Stack::start(&[("VULTR_API_URL", &vultr.url), ("PROVIDER_REQUESTS", &limit)]).await;
    // Two requests each.
    for _ in 0..2 {
        let owner = Account::new(&stack).await;
        owner.put("/api/instances/provider", json!({"api_key": KEY})).await.ok();
        let (job, lines) = runs(&owner, REFRESH, json!({})).await;
        assert_eq!(job["status"], "completed", "{lines:#?}");
    }
    let asked = vultr.asked();
    assert_eq!(asked.len(), LIMIT + 1);
    // The first and the last were counted in different windows.
    let begun = asked[0].saturating_sub(ON_ITS_WAY) / WINDOW;
    assert!(begun < asked[LIMIT] / WINDOW, "{asked:?}");
}
