//! How the product is called here: read by anybody, changed by super administrators.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, send};
use crate::support::mail::letter;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::super_admin;

const PATH: &str = "/api/admin/branding";

async fn read(stack: &Stack) -> Value {
    let answer = Anonymous::at(stack).ask(Method::GET, "/api/branding", None).await;
    assert_eq!(answer.headers["cache-control"], "no-store, no-cache, must-revalidate");
    assert_eq!(answer.headers["pragma"], "no-cache");
    answer.ok()
}

#[tokio::test]
async fn the_name_and_the_look_are_what_a_super_administrator_said_last() {
    let stack = Stack::start(&[]).await;
    let mut expected = json!({
        "logo_url": "", "favicon_url": "", "name_part1": "VSAY", "name_part1_color": "", "name_part2": "Edge", "name_part2_color": "",
        "default_theme_color": "", "default_theme_color_updated_at": null, "terminal_idle_timeout_minutes": 2, "updated_at": null,
    });
    assert_eq!(read(&stack).await, expected);

    let (admin, root) = (Account::new(&stack).await, super_admin(&stack).await);
    let change = json!({"name_part1": "Acme", "name_part1_color": "#0A7f5a", "logo_url": "https://example.com/a.png",
        "terminal_idle_timeout_minutes": 240});
    assert_eq!(
        admin
            .anonymous
            .ask(Method::PUT, PATH, Some(change.clone()))
            .await
            .refusal()
            .0,
        401
    );
    let answer = send(admin.request(Method::PUT, PATH).json(&change)).await;
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (403, &json!("Super admin access required"))
    );

    let mut saved = root.put(PATH, change.clone()).await.ok();
    assert_eq!(saved, read(&stack).await);
    assert!(is_recent(&take(&mut saved, "updated_at")));
    take(&mut expected, "updated_at");
    for (field, value) in change.as_object().expect("an object") {
        expected[field] = value.clone();
    }
    assert_eq!(saved, expected);
    let log = root.get("/api/audit?action=branding_changed").await.ok();
    assert_eq!(log["logs"][0]["details"], json!({"new": change}));

    for (wrong, field) in [
        (
            json!({"terminal_idle_timeout_minutes": 241}),
            "terminal_idle_timeout_minutes",
        ),
        (
            json!({"terminal_idle_timeout_minutes": 0}),
            "terminal_idle_timeout_minutes",
        ),
        (json!({"logo_url": "javascript:alert(1)"}), "logo_url"),
        (json!({"favicon_url": "//example.com/a.ico"}), "favicon_url"),
        (json!({"name_part2_color": "red"}), "name_part2_color"),
        (json!({"name_part2": "x".repeat(31)}), "name_part2"),
    ] {
        let (status, error) = root.put(PATH, wrong).await.refusal();
        assert!(status == 400 && error.starts_with(field), "{error}");
    }
    let mut back = root
        .put(PATH, json!({"logo_url": "", "default_theme_color": "#000000"}))
        .await
        .ok();
    assert!(is_recent(&take(&mut back, "default_theme_color_updated_at")));
    assert_eq!((&back["logo_url"], &back["name_part1"]), (&json!(""), &json!("Acme")));
}

#[tokio::test]
async fn letters_have_the_name_that_was_said_and_only_as_a_name() {
    let stack = Stack::start(&[]).await;
    let (somebody, root) = (Account::new(&stack).await, super_admin(&stack).await);
    let forgot = json!({"email": somebody.email});
    let asked = somebody
        .anonymous
        .ask(Method::POST, "/api/auth/forgot-password", Some(forgot.clone()));
    asked.await.ok();
    let ours = letter(&stack, &somebody.email, "Reset your password").await;
    assert!(
        ours.text.contains("VSAY Edge") && !ours.html.contains("<span"),
        "{ours:#?}"
    );

    let change = json!({"name_part1": "\"Acme\" <eve@example.org>", "name_part1_color": "#0a5c42", "name_part2": "<b>Cloud",
        "default_theme_color": "#ffd400"});
    root.put(PATH, change).await.ok();
    let theirs = Account::new(&stack).await;
    let name = "\"Acme\" <eve@example.org> <b>Cloud";
    let letter = letter(&stack, &theirs.email, &format!("Welcome to {name}")).await;
    assert_eq!((&letter.from, letter.sender.as_str()), (&ours.from, name));
    assert!(
        letter.text.contains(name) && !letter.text.contains("VSAY"),
        "{letter:#?}"
    );
    let shown = "<span style=\"color:#0a5c42\">&quot;Acme&quot; &lt;eve@example.org&gt;</span> &lt;b&gt;Cloud";
    assert!(
        letter.html.contains(shown) && !letter.html.contains("<b>"),
        "{letter:#?}"
    );
    assert!(letter.html.contains("background:#ffd400;color:#000000"), "{letter:#?}");
}
