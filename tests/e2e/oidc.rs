//! Signing in with another provider: a certified issuer, and what Microsoft and GitHub do in miniature.
use std::collections::HashMap;

use base64ct::{Base64Url, Encoding};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::support::account::{Account, Anonymous, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::issuer::{Browser, Issuer};
use crate::support::mail::letter;
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;

/// Where the console takes results.
const PAGE: &str = "/oauth/callback";

/// An edge that knows all providers.
struct World {
    stack: Stack,
    _real: Issuer,
    _fake: Issuer,
}

impl World {
    async fn shared() -> &'static Self {
        static SHARED: OnceCell<World> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        let (real, fake) = (Issuer::start("issuer.mjs"), Issuer::start("issuer-fake.mjs"));
        let stack = Stack::start(&[
            ("MICROSOFT_CLIENT_ID", "edge"),
            ("MICROSOFT_CLIENT_SECRET", "hunter2"),
            ("MICROSOFT_AUTHORITY", &fake.url),
            ("GITHUB_CLIENT_ID", "edge"),
            ("GITHUB_CLIENT_SECRET", "hunter2"),
            ("GITHUB_BASE_URL", &fake.url),
            ("GITHUB_API_URL", &fake.url),
            ("OIDC_CLIENT_ID", "edge"),
            ("OIDC_CLIENT_SECRET", "s: %+"),
            ("OIDC_ISSUER", &real.url),
            ("OIDC_NAME", "Acme"),
        ])
        .await;
        real.tell(&format!("{}/api/auth/oidc/sso/callback", stack.url));
        Self {
            stack,
            _real: real,
            _fake: fake,
        }
    }

    fn start_of(&self, provider: &str) -> Url {
        format!("{}/api/auth/oidc/{provider}", self.stack.url)
            .parse()
            .expect("a url")
    }

    /// Signs in with a fresh browser; gives the page of the result.
    async fn sign_in(&self, provider: &str, at_provider: &[(&str, &str)]) -> Url {
        Browser::new().go(&self.start_of(provider), PAGE, at_provider).await
    }

    /// The same, at a provider in miniature.
    async fn sign_in_by_test(&self, provider: &str, test: Value) -> Url {
        self.sign_in(provider, &[("test", &test.to_string())]).await
    }
}

/// Somebody whose mail address was proven.
async fn proven(stack: &Stack) -> Account {
    let account = Account::new(stack).await;
    stack.sql(&format!(
        "UPDATE users SET email_verified = 1 WHERE id = '{}'",
        account.id
    ));
    account
}

/// What went right, behind the `#`.
fn success(page: &Url) -> HashMap<String, String> {
    assert_eq!(page.query(), None, "{page}");
    let fragment = page.fragment().unwrap_or_else(|| panic!("no success: {page}"));
    url_pairs(fragment)
}

/// What went wrong, behind the `?`.
fn failure(page: &Url) -> String {
    assert_eq!(page.fragment(), None, "{page}");
    url_pairs(page.query().unwrap_or_default())["error"].clone()
}

fn url_pairs(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn decoded(text: &str) -> Value {
    serde_json::from_slice(&Base64Url::decode_vec(text).expect("padded base64url")).expect("JSON")
}

/// Whose token it is.
async fn owner(anyone: &Anonymous, token: &str) -> Value {
    send(anyone.request(Method::GET, "/api/auth/me").bearer_auth(token))
        .await
        .ok()["id"]
        .take()
}

fn claims(email: &str) -> Value {
    json!({"claims": {"email": email}})
}

#[tokio::test]
async fn somebody_signs_in_with_microsoft() {
    let world = World::shared().await;
    let ann = proven(&world.stack).await;
    let result = success(
        &world
            .sign_in_by_test("microsoft", claims(&ann.email.to_uppercase()))
            .await,
    );
    assert_eq!(owner(&ann.anonymous, &result["token"]).await, ann.id);
    let user = decoded(&result["user"]);
    assert_eq!((&user["id"], &user["email"]), (&json!(ann.id), &json!(ann.email)));
    assert_eq!(user.get("api_key"), None, "addresses are kept in histories");
    assert_eq!(decoded(&result["tenants"])[0]["user_id"], ann.id);
    let choice = json!({"session_token": result["session_token"], "tenant_id": ann.username});
    ann.anonymous
        .ask(Method::POST, "/api/auth/select-tenant", Some(choice))
        .await
        .ok();

    let log = ann.get("/api/audit?action=login").await.ok();
    let methods: Vec<&Value> = log["logs"]
        .as_array()
        .expect("logs")
        .iter()
        .map(|log| &log["details"]["method"])
        .collect();
    assert!(methods.contains(&&json!("microsoft")), "{log:#}");
}

#[tokio::test]
async fn somebody_signs_in_with_any_issuer() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    let result = success(&world.sign_in("sso", &[("login_hint", &ann.email)]).await);
    assert_eq!(owner(&ann.anonymous, &result["token"]).await, ann.id);
}

#[tokio::test]
async fn somebody_signs_in_with_github_by_the_primary_of_the_proven_addresses() {
    let world = World::shared().await;
    let (ann, bob) = (Account::new(&world.stack).await, Account::new(&world.stack).await);
    let emails = json!([
        {"email": bob.email, "primary": true, "verified": false},
        {"email": "nobody@example.com", "primary": false, "verified": false},
        {"email": ann.email, "primary": false, "verified": true},
    ]);
    let result = success(&world.sign_in_by_test("github", json!({ "emails": emails })).await);
    assert_eq!(owner(&ann.anonymous, &result["token"]).await, ann.id);
}

#[tokio::test]
async fn nobody_gets_an_account_this_way_and_a_disabled_one_stays_shut() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    let page = world.sign_in_by_test("microsoft", claims("stranger@example.net")).await;
    assert_eq!(failure(&page), "No account found for this email. Please sign up first.");
    world.stack.sql(&format!(
        "UPDATE users SET disabled_at = '2026-01-01T00:00:00.000Z' WHERE id = '{}'",
        ann.id
    ));
    let page = world.sign_in_by_test("microsoft", claims(&ann.email)).await;
    assert_eq!(
        failure(&page),
        "Your account is disabled. Please contact your administrator."
    );
}

#[tokio::test]
async fn somebody_with_several_organizations_chooses_one() {
    let world = World::shared().await;
    let (ann, other) = (Account::new(&world.stack).await, Account::new(&world.stack).await);
    world.stack.sql(&format!(
        "UPDATE users SET email = '{}', community = 0 WHERE id = '{}'",
        ann.email, other.id
    ));
    let result = success(&world.sign_in("sso", &[("login_hint", &ann.email)]).await);
    assert_eq!(result["requires_selection"], "true");
    assert!(!result.contains_key("token") && !result.contains_key("user"));
    let tenants = decoded(&result["tenants"]);
    let mut ids: Vec<&str> = tenants
        .as_array()
        .expect("tenants")
        .iter()
        .filter_map(|t| t["user_id"].as_str())
        .collect();
    ids.sort_unstable();
    let mut expected = [ann.id.as_str(), other.id.as_str()];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    let choice = json!({"session_token": result["session_token"], "tenant_id": other.username});
    let chosen = ann
        .anonymous
        .ask(Method::POST, "/api/auth/select-tenant", Some(choice))
        .await
        .ok();
    assert_eq!(
        owner(&ann.anonymous, chosen["token"].as_str().expect("a token")).await,
        other.id
    );
}

#[tokio::test]
async fn an_authenticator_app_is_asked_for_unless_the_provider_asked_for_more_itself() {
    let world = World::shared().await;
    let ann = proven(&world.stack).await;
    world.stack.sql(&format!(
        "UPDATE users SET totp_confirmed_at = '2026-01-01T00:00:00.000Z' WHERE id = '{}'",
        ann.id
    ));
    let result = success(&world.sign_in_by_test("microsoft", claims(&ann.email)).await);
    assert_eq!(result["mfa_required"], "true");
    assert!(!result["mfa_token"].is_empty() && !result.contains_key("token"));
    let bearer = ann
        .anonymous
        .request(Method::GET, "/api/auth/me")
        .bearer_auth(&result["mfa_token"]);
    assert_eq!(send(bearer).await.status, 401);

    let vouched = json!({"claims": {"email": ann.email, "amr": ["pwd", "mfa"]}});
    let result = success(&world.sign_in_by_test("microsoft", vouched).await);
    assert_eq!(owner(&ann.anonymous, &result["token"]).await, ann.id);
}

#[tokio::test]
async fn an_address_that_is_not_proven_opens_nothing() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    let unproven = json!({"claims": {"email": ann.email, "xms_edov": false}});
    let page = world.sign_in_by_test("microsoft", unproven).await;
    assert_eq!(
        failure(&page),
        "Your email is not verified by Microsoft. Please verify it there and try again."
    );
    let page = world
        .sign_in("sso", &[("login_hint", &format!("unproven:{}", ann.email))])
        .await;
    assert_eq!(
        failure(&page),
        "Your email is not verified by Acme. Please verify it there and try again."
    );
    let emails = json!({"emails": [{"email": ann.email, "primary": true, "verified": false}]});
    let page = world.sign_in_by_test("github", emails).await;
    assert!(failure(&page).starts_with("Could not retrieve email from GitHub."));
    let page = world.sign_in_by_test("microsoft", json!({})).await;
    assert_eq!(failure(&page), "Could not retrieve email from Microsoft account.");
}

#[tokio::test]
async fn whoever_waited_in_an_account_with_somebody_elses_address_is_out_when_its_owner_comes() {
    let world = World::shared().await;
    for (provider, at_provider) in [
        ("sso", |email: &str| ("login_hint", email.to_owned())),
        ("microsoft", |email: &str| ("test", claims(email).to_string())),
        ("github", |email: &str| {
            let emails = json!([{"email": email, "primary": true, "verified": true}]);
            ("test", json!({ "emails": emails }).to_string())
        }),
    ] as [(&str, fn(&str) -> (&'static str, String)); 3]
    {
        let thief = Account::new(&world.stack).await;
        let key = thief.post("/api/api-keys", json!({"name": "later"})).await.ok()["key"].take();
        let agent = Agent::new(&thief, &format!("waiting-{provider}")).await;
        let mut terminal = Viewer::attached(&thief, &agent, &format!("waiting-{provider}")).await;
        thief.post("/api/auth/me/ssh-key", json!({})).await.ok();
        world.stack.sql(&format!(
            "UPDATE users SET totp_sealed = 'x', totp_confirmed_at = '2026-01-01T00:00:00.000Z' WHERE id = '{}'",
            thief.id
        ));

        let (name, value) = at_provider(&thief.email);
        let sign_in = async || success(&world.sign_in(provider, &[(name, &value)]).await);
        let victim = Account {
            token: sign_in().await["token"].clone(),
            ..thief.clone()
        };
        assert_eq!(terminal.wait_closed().await.0, 1008, "{provider}");
        let me = victim.get("/api/auth/me").await.ok();
        assert_eq!(
            (
                &me["id"],
                &me["email_verified"],
                &me["mfa_enabled"],
                &me["ssh_public_key"]
            ),
            (&json!(thief.id), &json!(true), &json!(false), &Value::Null),
            "{provider}"
        );
        assert_ne!(me["api_key"], thief.api_key, "{provider}");
        assert_eq!(victim.get("/api/api-keys").await.ok()["total"], 0, "{provider}");

        assert_eq!(thief.get("/api/auth/me").await.status, 401, "{provider}");
        assert_eq!(
            send(thief.request(Method::POST, "/api/auth/refresh")).await.status,
            401,
            "{provider}"
        );
        let by_key = Account {
            token: key.as_str().expect("a key").to_owned(),
            ..thief.clone()
        };
        let refused = by_key.get("/api/auth/me").await.refusal();
        assert_eq!(refused, (401, "Invalid API key".to_owned()), "{provider}");
        let password = json!({"email": thief.email, "password": PASSWORD});
        let refused = thief
            .anonymous
            .ask(Method::POST, "/api/auth/login", Some(password))
            .await;
        assert_eq!(refused.refusal(), (401, "Invalid credentials".to_owned()), "{provider}");
        let enrolled = agent.try_configure(&world.stack.url, &thief.api_key).await;
        assert!(enrolled.is_err(), "{provider}: the old key enrols nothing");
        let log = victim.get("/api/audit?action=email_verified").await.ok();
        assert_eq!(log["logs"][0]["details"]["by"], provider, "{log:#}");

        // It was the first time; nothing is taken from whoever has proven the address.
        sign_in().await;
        victim.get("/api/auth/me").await.ok();
    }
}

#[tokio::test]
async fn an_owner_without_a_password_gets_one_by_mail() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    success(&world.sign_in("sso", &[("login_hint", &ann.email)]).await);
    let forgot = json!({"email": ann.email});
    ann.anonymous
        .ask(Method::POST, "/api/auth/forgot-password", Some(forgot))
        .await
        .ok();
    let link = letter(&world.stack, &ann.email, "Reset your password")
        .await
        .link("/reset-password/");
    let path = format!("/api/auth/password-reset/{}", link.rsplit('/').next().expect("a token"));
    let new = json!({"password": "a password of my own"});
    ann.anonymous.ask(Method::POST, &path, Some(new)).await.ok();
    let login = json!({"email": ann.email, "password": "a password of my own"});
    ann.anonymous
        .ask(Method::POST, "/api/auth/login", Some(login))
        .await
        .ok();
}

#[tokio::test]
async fn a_token_that_breaks_a_rule_signs_nobody_in() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    for wrong in [
        json!({"claims": {"nonce": "of another attempt"}}),
        json!({"claims": {"nonce": null}}),
        json!({"claims": {"aud": "another client"}}),
        json!({"claims": {"iss": "https://login.example.org/v2.0"}}),
        json!({"claims": {"exp": 1_700_000_000}}),
        json!({"claims": {"exp": null}}),
        json!({"header": {"alg": "none"}}),
        json!({"header": {"alg": "HS256"}}),
        json!({"header": {"kid": "unknown"}}),
        json!({"signer": "stranger"}),
    ] {
        let mut test = wrong.clone();
        test["claims"]["email"] = json!(ann.email);
        let page = world.sign_in_by_test("microsoft", test).await;
        assert_eq!(failure(&page), "Authentication failed. Please try again.", "{wrong}");
    }
}

#[tokio::test]
async fn only_the_browser_that_left_comes_back_and_only_once() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    let test = claims(&ann.email).to_string();
    let at_provider = [("test", test.as_str())];
    let mut browser = Browser::new();
    let back = browser
        .go(&world.start_of("microsoft"), "/callback", &at_provider)
        .await;
    let invalid = "Invalid state. Please try again.";

    let mut stranger = Browser::new();
    assert_eq!(
        failure(&stranger.ask(&back).await.location()),
        invalid,
        "it has no cookie"
    );
    let theirs = stranger
        .go(&world.start_of("microsoft"), "/callback", &at_provider)
        .await;
    assert_eq!(
        failure(&stranger.ask(&back).await.location()),
        invalid,
        "its cookie is of another attempt"
    );
    drop(theirs);

    let mut tampered = back.clone();
    let pairs: Vec<(String, String)> = back.query_pairs().into_owned().collect();
    let changed = pairs.iter().map(|(name, value)| match name.as_str() {
        "state" => (name.clone(), format!("{value}x")),
        _ => (name.clone(), value.clone()),
    });
    tampered.query_pairs_mut().clear().extend_pairs(changed);
    assert_eq!(failure(&browser.ask(&tampered).await.location()), invalid);

    // That attempt is over; the next one goes through, and not twice.
    let back = browser
        .go(&world.start_of("microsoft"), "/callback", &at_provider)
        .await;
    let stop = browser.ask(&back).await;
    assert_eq!(stop.headers["referrer-policy"], "no-referrer");
    assert!(success(&stop.location()).contains_key("token"));
    assert_eq!(
        failure(&browser.ask(&back).await.location()),
        invalid,
        "the cookie is gone"
    );
}

#[tokio::test]
async fn a_code_is_taken_once_and_only_from_the_attempt_that_asked_for_it() {
    let world = World::shared().await;
    let ann = Account::new(&world.stack).await;
    for (provider, test) in [
        ("microsoft", claims(&ann.email)),
        (
            "github",
            json!({"emails": [{"email": ann.email, "primary": true, "verified": true}]}),
        ),
    ] {
        let test = test.to_string();
        let at_provider = [("test", test.as_str())];
        let (mut browser, mut thief) = (Browser::new(), Browser::new());
        let back = browser.go(&world.start_of(provider), "/callback", &at_provider).await;
        let theirs = thief.go(&world.start_of(provider), "/callback", &at_provider).await;
        // The thief has the code, and a state and a cookie of its own, but not the verifier.
        let code = |url: &Url| {
            url.query_pairs()
                .find(|(name, _)| name == "code")
                .map(|(_, code)| code.into_owned())
        };
        let stolen = theirs
            .as_str()
            .replace(&code(&theirs).expect("a code"), &code(&back).expect("a code"));
        let page = thief.ask(&stolen.parse().expect("a url")).await.location();
        assert_eq!(failure(&page), "Failed to exchange authorization code.", "{provider}");
    }
}

#[tokio::test]
async fn a_refusal_at_the_provider_is_told() {
    let world = World::shared().await;
    let page = world.sign_in_by_test("github", json!({"error": "access_denied"})).await;
    assert_eq!(failure(&page), "GitHub error: access_denied — The person said no");
}

#[tokio::test]
async fn what_is_set_up_is_told_and_works_and_the_rest_does_not() {
    let world = World::shared().await;
    let known = Anonymous::at(&world.stack)
        .ask(Method::GET, "/api/oidc/providers", None)
        .await;
    assert!(
        known.headers["cache-control"]
            .to_str()
            .expect("text")
            .starts_with("no-store")
    );
    assert_eq!(
        known.ok(),
        json!({"microsoft_enabled": true, "github_enabled": true, "oidc_enabled": true, "oidc_name": "Acme"})
    );
    let mut browser = Browser::new();
    let left = browser.ask(&world.start_of("github")).await;
    assert_eq!(left.status, 302);
    let cookie = left.headers["set-cookie"].to_str().expect("text");
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"),
        "{cookie}"
    );
    let query = url_pairs(left.location().query().expect("a query"));
    assert_eq!(query["scope"], "user:email read:user");
    assert_eq!(
        query["redirect_uri"],
        format!("{}/api/auth/oidc/github/callback", world.stack.url)
    );

    let stack = Stack::shared().await;
    let anyone = Anonymous::at(stack);
    let none = anyone.ask(Method::GET, "/api/oidc/providers", None).await.ok();
    assert_eq!(
        none,
        json!({"microsoft_enabled": false, "github_enabled": false, "oidc_enabled": false, "oidc_name": ""})
    );
    for (provider, label) in [
        ("microsoft", "Microsoft"),
        ("github", "GitHub"),
        ("sso", "Single sign-on"),
    ] {
        let path = format!("/api/auth/oidc/{provider}");
        let (status, error) = anyone.ask(Method::GET, &path, None).await.refusal();
        assert_eq!((status, error), (501, format!("{label} login is not configured")));
        let url = format!("{}{path}/callback?code=x&state=y", stack.url)
            .parse()
            .expect("a url");
        let page = browser.ask(&url).await.location();
        assert_eq!(failure(&page), format!("{label} login is not configured."));
    }
}

/// A client that takes the code itself, in the form of `/v1`.
#[tokio::test]
async fn a_client_trades_the_code_itself_with_the_cookie_of_its_attempt() {
    let world = World::shared().await;
    let ann = proven(&world.stack).await;
    let ours = format!("{}/api/auth/oidc/microsoft/callback", world.stack.url);
    let query = [
        ("provider", "azure"),
        ("redirect_uri", ours.as_str()),
        ("state", "theirs"),
    ];
    let start = Url::parse_with_params(&format!("{}/v1/auth/oidc/authorize", world.stack.url), query).expect("a url");
    let mut browser = Browser::new();
    let test = claims(&ann.email).to_string();
    let back = browser.go(&start, "/callback", &[("test", &test)]).await;
    let pairs = url_pairs(back.query().unwrap_or_default());
    let body = json!({"provider": "azure", "code": pairs["code"], "state": pairs["state"]});
    let trade = async |cookie: Option<&str>| {
        let request = ann
            .anonymous
            .request(Method::POST, "/v1/auth/oidc/callback")
            .json(&body);
        send(match cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        })
        .await
    };
    let refusal = (401, "Invalid state. Please try again.".to_owned());
    assert_eq!(trade(None).await.refusal(), refusal);
    let cookie = browser.cookie("vsay_oidc_microsoft");
    let signed_in = trade(Some(&cookie)).await.ok()["data"].take();
    assert_eq!(signed_in["user"]["id"], format!("usr_{}", ann.id));
    assert_eq!(signed_in["user"]["organization_id"], ann.username);
    let token = signed_in["token"].as_str().expect("a token");
    assert_eq!(owner(&ann.anonymous, token).await, ann.id);

    let ask = async |query: &str| {
        let path = format!("/v1/auth/oidc/authorize?{query}");
        ann.anonymous.ask(Method::GET, &path, None).await.refusal()
    };
    for (query, field) in [
        ("redirect_uri=a&state=b", "provider is required"),
        ("provider=custom&redirect_uri=a&state=b", "provider must be"),
        ("provider=azure&state=b", "redirect_uri is required"),
        (
            "provider=azure&redirect_uri=https://evil.example.com&state=b",
            "redirect_uri must be",
        ),
        ("provider=azure&redirect_uri=a", "state is required"),
    ] {
        let (status, words) = ask(query).await;
        assert!(status == 400 && words.starts_with(field), "{query}: {words}");
    }
}
