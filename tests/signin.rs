//! Signing organizations up, setting a server up, and signing in: to one organization of several, with a mailed code, and out.
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::mail::{letter, letters};
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// Asks without a token, as a browser or, with a source, as that program.
async fn ask(anyone: &Anonymous, source: Option<&str>, path: &str, body: Value) -> Answer {
    let mut request = anyone.request(Method::POST, path).json(&body);
    if let Some(source) = source {
        request = request.header("X-Source", source);
    }
    send(request).await
}

async fn login(anyone: &Anonymous, body: Value) -> Value {
    ask(anyone, None, "/api/auth/login", body).await.ok()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value:#}"))
        .to_owned()
}

/// A name that nobody has.
fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{prefix}{}x{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

fn company(username: &str, email: &str, organization: &str) -> Value {
    json!({"username": username, "email": email, "password": PASSWORD, "confirm_password": PASSWORD, "first_name": "Ann",
        "last_name": "Smith", "organization_name": organization, "company_name": "The Company"})
}

/// Somebody with accounts in two organizations, under one address and password.
async fn somebody_of_two(anyone: &Anonymous) -> (String, [String; 2]) {
    let email = format!("{}@example.com", unique("two"));
    let organizations = [unique("one"), unique("other")];
    for organization in &organizations {
        let body = company(&unique("user"), &email, organization);
        ask(anyone, None, "/api/auth/signup", body).await.ok();
    }
    (email, organizations)
}

/// The account behind a token.
async fn me(anyone: &Anonymous, token: &Value) -> Answer {
    send(anyone.request(Method::GET, "/api/auth/me").bearer_auth(text(token))).await
}

#[tokio::test]
async fn an_organization_signs_up_and_its_first_account_administers_it_and_proves_its_address() {
    let stack = Stack::shared().await;
    let anyone = Anonymous::at(stack);
    let (username, organization) = (unique("ann"), unique("Acme Inc "));
    let email = format!("{username}@example.com");
    let made = ask(
        &anyone,
        None,
        "/api/auth/signup",
        company(&username, &email.to_uppercase(), &organization),
    )
    .await;
    assert_eq!(made.status, 201);
    let made = made.ok();
    assert_eq!(made["organization"], "The Company");
    assert_eq!(made["username"], username);
    assert!(made.get("token").is_none(), "{made:#}");

    let answer = login(&anyone, json!({"email": email, "password": PASSWORD})).await;
    let user = &answer["user"];
    assert_eq!(user["role"], "company_admin");
    assert_eq!(user["tenant_id"], organization.to_lowercase().replace(' ', "-"));
    assert_eq!(user["tenant_name"], "The Company");
    assert_eq!(
        (&user["first_name"], &user["display_name"]),
        (&json!("Ann"), &json!("Ann Smith"))
    );
    assert_eq!(user["email_verified"], false);

    let link = letter(stack, &email, "Welcome").await.link("/verify-email/");
    let token = link.rsplit('/').next().expect("a token");
    let path = format!("/api/auth/verify-email/{token}");
    ask(&anyone, None, &path, json!({})).await.ok();
    assert_eq!(me(&anyone, &answer["token"]).await.ok()["email_verified"], true);
    let again = ask(&anyone, None, &path, json!({})).await.refusal();
    assert_eq!(again, (400, "Invalid or expired verification token".to_owned()));
}

#[tokio::test]
async fn a_name_or_organization_that_is_taken_leaves_nothing_behind() {
    let anyone = Anonymous::at(Stack::shared().await);
    let (username, organization) = (unique("ann"), unique("acme"));
    let email = format!("{username}@example.com");
    let sign_up = async |username: &str, organization: &str| {
        ask(
            &anyone,
            None,
            "/api/auth/signup",
            company(username, &email, organization),
        )
        .await
    };
    sign_up(&username, &organization).await.ok();
    let other = unique("other");
    assert_eq!(
        sign_up(&username.to_uppercase(), &other).await.refusal(),
        (409, "Username already exists".to_owned())
    );
    let free = unique("bob");
    assert_eq!(
        sign_up(&free, &organization.to_uppercase()).await.refusal(),
        (409, "Organization already exists".to_owned())
    );
    sign_up(&free, &other).await.ok();
}

#[tokio::test]
async fn a_server_is_set_up_once_however_many_try_at_the_same_time() {
    let stack = Stack::start(&[]).await;
    let anyone = Anonymous::at(&stack);
    let status = async || anyone.ask(Method::GET, "/api/auth/setup-required", None).await.ok();
    assert_eq!(
        status().await,
        json!({"setup_required": true, "setup_complete": false, "vault_set": false})
    );
    let refused = ask(
        &anyone,
        None,
        "/api/auth/login",
        json!({"username": "root", "password": PASSWORD}),
    )
    .await;
    assert_eq!(refused.refusal(), (400, "Setup not completed".to_owned()));
    let refused = ask(
        &anyone,
        None,
        "/api/auth/login",
        json!({"email": "a@b.cd", "password": PASSWORD}),
    )
    .await;
    assert_eq!(refused.refusal().0, 401);

    let set_up = async |name: &str| {
        let body = json!({"username": name, "password": PASSWORD, "vault_password": "open sesame"});
        ask(&anyone, None, "/api/auth/setup", body).await
    };
    let (one, two, three) = tokio::join!(set_up("root_1"), set_up("root_2"), set_up("root_3"));
    let (made, refused): (Vec<_>, Vec<_>) = [one, two, three].into_iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 2));
    for answer in refused {
        assert_eq!(answer.refusal(), (400, "Setup already completed".to_owned()));
    }
    let made = made.into_iter().next().expect("one").ok();
    assert_eq!(made["token"], made["access_token"]);
    assert_eq!(made["token_type"], "bearer");
    let permissions = made["permissions"].as_array().expect("permissions");
    assert!(
        permissions.contains(&json!("*")) && permissions.contains(&json!("users.view")),
        "{permissions:?}"
    );
    let me = me(&anyone, &made["token"]).await.ok();
    assert_eq!((&me["role"], &me["email"]), (&json!("super_admin"), &json!("")));
    for path in ["/api/auth/setup-required", "/api/auth/status"] {
        let status = anyone.ask(Method::GET, path, None).await.ok();
        assert_eq!(
            status,
            json!({"setup_required": false, "setup_complete": true, "vault_set": true})
        );
    }
    assert_eq!(set_up("root_4").await.refusal().0, 400);
    assert_eq!(stack.sql("SELECT COUNT(*) AS n FROM organizations")[0]["n"], 1);
    let sealed = text(&stack.sql("SELECT vault_sealed FROM organizations")[0]["vault_sealed"]);
    assert!(!sealed.contains("sesame"));
    // It needs no organization of its own to exist: a deleted account does not open the door again.
    stack.sql("UPDATE users SET deleted_at = '2026-01-01T00:00:00.000Z'");
    assert_eq!(set_up("root_5").await.refusal().0, 400);
}

#[tokio::test]
async fn a_sign_in_answers_what_the_clients_of_both_apis_read() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    for body in [
        json!({"email": somebody.email, "password": PASSWORD}),
        json!({"username": somebody.username, "password": PASSWORD}),
        json!({"username": somebody.email, "password": PASSWORD}),
    ] {
        let answer = login(&anyone, body).await;
        assert_eq!(answer["token"], answer["access_token"]);
        assert_eq!(
            (&answer["token_type"], &answer["expires_in"]),
            (&json!("bearer"), &json!(86400))
        );
        assert_eq!(answer["user"]["id"], somebody.id);
        assert!(answer["user"]["int_id"].is_i64());
        assert_eq!(answer["user"]["api_key"], somebody.api_key);
        assert_eq!(answer["permissions"], answer["user"]["permissions"]);
        assert_eq!(answer["must_reset_password"], false);
        assert_eq!(
            answer["available_tenants"],
            json!([{"tenant_id": somebody.username, "tenant_name": somebody.username, "username": somebody.username,
                "user_id": somebody.id}])
        );
        let mut shown = me(&anyone, &answer["token"]).await.ok();
        shown["updated_at"] = answer["user"]["updated_at"].clone();
        assert_eq!(shown, answer["user"]);
    }
}

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

async fn policy(stack: &Stack, somebody: &Account, otp: &str) {
    stack.sql(&format!(
        "UPDATE organizations SET otp = '{otp}' WHERE slug = '{}'",
        somebody.username
    ));
}

/// The next code that is mailed, not among those `seen`; it is one of them then.
async fn code(stack: &Stack, email: &str, seen: &mut Vec<String>) -> String {
    let new = eventually("a code by mail", async || {
        let mails = letters(stack, email).into_iter();
        let mails = mails.filter(|mail| mail.subject.contains("sign-in code"));
        mails.map(|mail| digits(&mail.text)).find(|code| !seen.contains(code))
    })
    .await;
    seen.push(new.clone());
    new
}

fn digits(text: &str) -> String {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    text.split_whitespace().find(is_code).expect("six digits").to_owned()
}

#[tokio::test]
async fn a_mailed_code_is_needed_where_the_organization_says_so_and_no_route_goes_round_it() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    policy(stack, &somebody, "on").await;
    let credentials = json!({"email": somebody.email, "password": PASSWORD});

    let challenge = login(&anyone, credentials.clone()).await;
    assert_eq!(
        (&challenge["requires_otp"], &challenge["mfa_required"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(challenge["message"], "OTP sent to your email");
    assert_eq!(
        (&challenge["username"], &challenge["otp_expires_in_min"]),
        (&json!(somebody.username), &json!(10))
    );
    assert!(
        challenge.get("token").is_none()
            && challenge["tenants"]
                .as_array()
                .is_some_and(|tenants| tenants.len() == 1)
    );
    let mut seen = Vec::new();
    let first = code(stack, &somebody.email, &mut seen).await;

    // What the first step gave is no way round the second.
    let select = json!({"session_token": challenge["session_token"], "tenant_id": somebody.username});
    let as_cli = ask(&anyone, Some("cli"), "/api/auth/select-tenant", select).await.ok();
    assert_eq!(as_cli["requires_otp"], true, "the source is that of the password");
    code(stack, &somebody.email, &mut seen).await;
    let community = ask(&anyone, None, "/api/login", credentials.clone()).await.ok();
    assert_eq!(community["requires_otp"], true);
    for token in [&challenge["session_token"], &challenge["mfa_token"]] {
        let refused = me(&anyone, token).await.refusal();
        assert_eq!(refused, (401, "Invalid user ID in token".to_owned()));
    }

    // A new code takes the place of the one before, and works once.
    let current = code(stack, &somebody.email, &mut seen).await;
    let verify = async |code: &str| {
        let body = json!({"username": somebody.username, "otp_code": code});
        ask(&anyone, None, "/api/auth/verify-otp", body).await
    };
    assert_eq!(
        verify(&first).await.refusal(),
        (401, "Invalid or expired OTP".to_owned())
    );
    let signed_in = verify(&current).await.ok();
    assert_eq!(signed_in["user"]["id"], somebody.id);
    me(&anyone, &signed_in["token"]).await.ok();
    assert_eq!(verify(&current).await.refusal().0, 401);

    // Who has proven to read the mail switches without another.
    let select = json!({"session_token": signed_in["session_token"], "tenant_id": somebody.username});
    let again = ask(&anyone, None, "/api/auth/select-tenant", select).await.ok();
    assert!(again["token"].is_string());

    // What a client says of itself is no way round it either.
    for source in ["cli", "vscode", "my-tool"] {
        let answer = ask(&anyone, Some(source), "/api/auth/login", credentials.clone())
            .await
            .ok();
        assert_eq!(answer["requires_otp"], true, "{source}");
    }
}

#[tokio::test]
async fn three_wrong_codes_use_a_challenge_up() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    policy(stack, &somebody, "on").await;
    let credentials = json!({"username": somebody.username, "password": PASSWORD});
    let challenge = login(&anyone, credentials.clone()).await;
    let mut seen = Vec::new();
    let right = code(stack, &somebody.email, &mut seen).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let verify = async |code: &str| {
        let body = json!({"username": somebody.username, "otp": code});
        ask(&anyone, None, "/api/auth/verify-otp", body).await
    };
    for _ in 0..3 {
        assert_eq!(
            verify(wrong).await.refusal(),
            (401, "Invalid or expired OTP".to_owned())
        );
    }
    assert_eq!(verify(&right).await.refusal().0, 401, "the third wrong one ended it");
    let body = json!({"mfa_token": challenge["mfa_token"], "code": right});
    assert_eq!(ask(&anyone, None, "/api/auth/mfa/verify", body).await.refusal().0, 401);

    // Signing in again sends another, and the clients that know only `mfa_token` use it as well.
    let challenge = login(&anyone, credentials).await;
    let new = code(stack, &somebody.email, &mut seen).await;
    let body = json!({"mfa_token": challenge["mfa_token"], "code": new});
    let signed_in = ask(&anyone, None, "/api/auth/mfa/verify", body).await.ok();
    assert_eq!(signed_in["user"]["id"], somebody.id);
    let nobody = json!({"username": "nobody-at-all", "otp_code": "123456"});
    let refused = ask(&anyone, None, "/api/auth/verify-otp", nobody).await.refusal();
    assert_eq!(refused, (401, "Invalid or expired OTP".to_owned()));
}

#[tokio::test]
async fn without_mail_a_needed_code_is_no_reason_to_let_somebody_in() {
    let stack = Stack::start(&[("MAIL_TRANSPORT", "")]).await;
    let (somebody, anyone) = (Account::new(&stack).await, Anonymous::at(&stack));
    policy(&stack, &somebody, "on").await;
    let credentials = json!({"email": somebody.email, "password": PASSWORD});
    let refused = ask(&anyone, None, "/api/auth/login", credentials).await.refusal();
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert_eq!(
        somebody.post("/api/auth/verify-email", json!({})).await.refusal().0,
        503
    );
    // Nobody is told whether there is an account.
    for email in [somebody.email.as_str(), "nobody@example.com"] {
        ask(&anyone, None, "/api/auth/forgot-password", json!({"email": email}))
            .await
            .ok();
    }
}

#[tokio::test]
async fn signing_out_ends_the_tokens_and_terminals_of_that_sign_in_and_of_no_other() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "signing-out").await;
    let again = ask(
        &owner.anonymous,
        None,
        "/api/login",
        json!({"email": owner.email, "password": PASSWORD}),
    )
    .await
    .ok();
    let elsewhere = Account {
        token: text(&again["token"]),
        ..owner.clone()
    };
    let mut here = Viewer::attached(&owner, &agent, "here").await;
    let mut there = Viewer::attached(&elsewhere, &agent, "there").await;
    let renewed = send(owner.request(Method::POST, "/api/auth/refresh")).await.ok();

    assert_eq!(
        owner.post("/api/auth/logout", json!({})).await.ok(),
        json!({"message": "Logged out successfully"})
    );
    assert_eq!(here.wait_closed().await.0, 1008);
    for token in [&json!(owner.token), &renewed["token"]] {
        assert_eq!(
            me(&owner.anonymous, token).await.refusal(),
            (401, "Invalid or expired token".to_owned())
        );
    }
    there.run("echo still-$((40+2))", "still-42").await;
    elsewhere.get("/api/auth/me").await.ok();
    let entries = stack.sql(&format!(
        "SELECT details FROM audit_log WHERE user_id = '{}' AND action = 'logout'",
        owner.id
    ));
    assert!(text(&entries[0]["details"]).contains("duration_seconds"), "{entries}");
}

#[tokio::test]
async fn sign_ins_that_fail_are_remembered_with_their_reason_and_without_the_password() {
    let stack = Stack::shared().await;
    let (somebody, anyone) = (Account::new(stack).await, Anonymous::at(stack));
    let guess = json!({"email": somebody.email, "password": "hunter2-hunter2"});
    ask(&anyone, None, "/api/auth/login", guess).await.refusal();
    let entries = stack.sql(&format!(
        "SELECT * FROM audit_log WHERE user_id = '{}' AND action = 'login_failed'",
        somebody.id
    ));
    assert_eq!(
        (&entries[0]["status"], &entries[0]["response_status"]),
        (&json!("failure"), &json!(401))
    );
    assert!(text(&entries[0]["details"]).contains("wrong_password"), "{entries}");
    assert!(!entries.to_string().contains("hunter2"));
}

#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let stack = Stack::start(&[]).await;
    let (somebody, anyone) = (Account::new(&stack).await, Anonymous::at(&stack));
    let time = async |email: &str| {
        let begun = tokio::time::Instant::now();
        let body = json!({"email": email, "password": "a wrong password"});
        assert_eq!(ask(&anyone, None, "/api/auth/login", body).await.status, 401);
        begun.elapsed()
    };
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    time(&somebody.email).await;
    // In turns, so that whatever else the machine does slows both. Other work may spoil one round, a difference spoils all.
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
        for _ in 0..15 {
            wrong.push(time(&somebody.email).await);
            unknown.push(time("nobody@example.com").await);
        }
        let ratio = median(unknown) / median(wrong);
        if (0.8..=1.25).contains(&ratio) {
            return;
        }
        ratios.push(ratio);
    }
    panic!("an unknown account can be told by the time: {ratios:?}");
}

#[tokio::test]
async fn every_route_that_takes_a_credential_slows_guessing_down() {
    let stack = Stack::start(&[("CREDENTIALS_BY_ACCOUNT", "3")]).await;
    let anyone = Anonymous::at(&stack);
    let password = "some password";
    for (path, body) in [
        (
            "/api/auth/login",
            json!({"email": "a@example.com", "password": password}),
        ),
        (
            "/api/auth/signup",
            json!({"username": "-", "email": "b@example.com", "password": password}),
        ),
        ("/api/auth/setup", json!({"username": "root_1", "password": password})),
        (
            "/api/auth/select-tenant",
            json!({"session_token": "x", "tenant_id": "x"}),
        ),
        (
            "/api/auth/verify-otp",
            json!({"username": "somebody", "otp_code": "000000"}),
        ),
        ("/api/auth/mfa/verify", json!({"mfa_token": "x", "code": "000000"})),
        ("/api/auth/forgot-password", json!({"email": "c@example.com"})),
        ("/api/auth/reset-password", json!({"token": "x", "password": password})),
        ("/api/auth/accept-invite", json!({"token": "y", "password": password})),
        ("/api/auth/password-reset/z", json!({"password": password})),
        ("/api/auth/invite/zz", json!({"password": password})),
        ("/api/auth/verify-email/zzz", json!({})),
    ] {
        // What is not valid is not counted; the rest is, whatever it is answered.
        let mut body = body;
        if path == "/api/auth/signup" {
            body = company("somebody", "b@example.com", "somewhere");
        }
        let mut statuses = Vec::new();
        // Eight attempts are more than two whole minutes allow, should one end meanwhile.
        for _ in 0..8 {
            let answer = ask(&anyone, None, path, body.clone()).await;
            if answer.status == 429 {
                assert_eq!(answer.headers["retry-after"], "60");
            }
            statuses.push(answer.status);
        }
        assert!(statuses.contains(&429), "{path}: {statuses:?}");
        assert_ne!(statuses[0], 429, "{path}: {statuses:?}");
    }
}
