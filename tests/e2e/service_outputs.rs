//! What the last runs of services gave.
use std::fs;

use serde_json::{Value, json};

use crate::services::{add, listed, runner};
use crate::support::account::Account;
use crate::support::stack::Stack;
use crate::support::team::{allow, join};
use crate::support::wait::eventually;

const GAVE: &str = "outputs:
  - {name: site, type: url, label: The site, value: 'https://web.example.com'}
  - {name: admin, type: credential, label: Admin, username: root, value: geheim, credential_type: password}
";

/// The same, with the value of the credential for those who may have it.
fn gave(value: Option<&str>) -> Value {
    let mut credential = json!({"name": "admin", "type": "credential", "label": "Admin", "username": "root", "credential_type": "password"});
    credential["value"] = value.unwrap_or("********").into();
    if value.is_none() {
        credential["masked"] = true.into();
    }
    json!([{"name": "site", "type": "url", "label": "The site", "value": "https://web.example.com"}, credential])
}

#[tokio::test]
async fn values_of_credentials_are_for_those_who_may_read_files_and_never_lie_at_the_edge() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let (agent, directory) = runner(&owner, "outputs").await;
    add(&directory, "web", &[("outputs/service_outputs.yaml", GAVE)]);
    add(&directory, "none", &[]);
    agent.start().await;
    listed(&owner, &["none", "web"]).await;
    let of = async |account: &Account, name: &str| account.get(&format!("/api/services/{name}/outputs")).await.ok();
    assert_eq!(of(&owner, "web").await, json!({"outputs": gave(Some("geheim"))}));
    for name in ["none", "nothing"] {
        assert_eq!(of(&owner, name).await, json!({"outputs": []}));
    }
    let all = async |account: &Account| account.get("/api/services/outputs").await.ok();
    assert_eq!(all(&owner).await, json!({"outputs": {"web": gave(None)}}));

    let looks = join(stack, &owner, "user").await;
    allow(&owner, &looks, &["services.view"]).await;
    assert_eq!(of(&looks, "web").await, json!({"outputs": gave(None)}));
    assert_eq!(all(&looks).await, all(&owner).await);
    let files = join(stack, &owner, "user").await;
    allow(&owner, &files, &["services.files.view"]).await;
    let denied = (403, "Permission denied: services.view".to_owned());
    assert_eq!(files.get("/api/services/web/outputs").await.refusal(), denied);
    assert_eq!(files.get("/api/services/outputs").await.refusal(), denied);
    let both = join(stack, &owner, "user").await;
    allow(&owner, &both, &["services.view", "services.files.view"]).await;
    assert_eq!(of(&both, "web").await, json!({"outputs": gave(Some("geheim"))}));
    let stranger = Account::new(stack).await;
    assert_eq!(all(&stranger).await, json!({"outputs": {}}));
    assert_eq!(of(&stranger, "web").await, json!({"outputs": []}));
    assert_eq!(
        of(&stranger, &format!("web@{}", agent.agent_id)).await,
        json!({"outputs": []})
    );

    // Another run gave something else.
    let file = directory.join("web/outputs/service_outputs.yaml");
    fs::write(&file, "outputs: [{name: site, type: url, value: other}]").expect("it is ours");
    eventually("the new outputs", async || {
        (all(&owner).await["outputs"]["web"][0]["value"] == "other").then_some(())
    })
    .await;
    fs::write(&file, GAVE).expect("it is ours");
    eventually("the old outputs", async || {
        (all(&owner).await["outputs"]["web"] == gave(None)).then_some(())
    })
    .await;
    agent.kill();
    agent.becomes("offline").await;
    assert_eq!(of(&owner, "web").await, json!({"outputs": gave(None)}));
}
