use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::{Json, Router, routing};
use futures_util::future::FutureExt;
use serde_json::json;
use tower_service::Service;

use super::*;
use crate::auth::token::Proof;

const HTTPS: &str = "https://edge.example.com";
const HTTP: &str = "http://127.0.0.1:8787";

fn config() -> Arc<Config> {
    Arc::new(Config::of_a_test())
}

fn proof() -> Proof {
    Proof {
        user_id: "0123456789abcdef01234567".parse().unwrap(),
        version: 3,
        sign_in: "s".to_owned(),
        source: "ui".to_owned(),
    }
}

/// A server whose `/login` answers tokens, and whose other paths say which bearer they were asked with.
fn server() -> Router {
    let token = TokenKey::of(&config()).renew(&proof()).unwrap();
    let login = move || {
        let fields = json!({"token": token, "access_token": token, "session_token": "proof", "expires_in": 1});
        let mut body = fields.clone();
        body["data"] = fields;
        std::future::ready(Json(body))
    };
    let renewed = TokenKey::of(&config()).renew(&proof()).unwrap();
    let refresh = move || std::future::ready(Json(json!({"token": renewed})));
    let told = |request: Request| {
        let bearer = request.headers().get(header::AUTHORIZATION).cloned();
        let proof = request.extensions().get().map(|KeptProof(proof)| proof.clone());
        let bearer = bearer.and_then(|value| value.to_str().map(str::to_owned).ok());
        std::future::ready(Json(json!({"bearer": bearer, "proof": proof})))
    };
    Router::new()
        .route("/login", routing::post(login))
        .route("/refresh", routing::post(refresh))
        .route(
            "/machine",
            routing::post(async || Json(json!({"token": "of something else"}))),
        )
        .route(
            SIGN_OUT,
            routing::post(async || StatusCode::UNAUTHORIZED.into_response()),
        )
        .fallback(told)
        .layer(from_fn_with_state(config(), carry))
}

/// The body and the cookies of an answer.
fn ask(url: &str, path: &str, method: &str, headers: &[(&str, &str)]) -> (Value, Vec<String>) {
    let mut request = Request::builder().method(method).uri(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    async {
        let response = server().call(request).await.unwrap();
        let cookies = response.headers().get_all(header::SET_COOKIE).iter();
        let cookies = cookies.map(|value| value.to_str().unwrap().to_owned()).collect();
        let body = to_bytes(response.into_body(), MAX_ANSWER).await.unwrap();
        (serde_json::from_slice(&body).unwrap_or_default(), cookies)
    }
    .now_or_never()
    .unwrap()
}

const CONSOLE: (&str, &str) = (HEADER, "1");
const OWN: (&str, &str) = (FETCH_SITE, "same-origin");

#[test]
fn a_console_that_signs_in_gets_cookies_and_no_token() {
    for (url, (prefix, port), suffix) in [(HTTPS, ("__Host-", ""), "; Secure"), (HTTP, ("", "-8787"), "")] {
        let (body, cookies) = ask(url, "/login", "POST", &[CONSOLE, OWN]);
        assert_eq!(body, json!({"expires_in": 1, "data": {"expires_in": 1}}));
        let [session, kept] = cookies.as_slice() else {
            panic!("{cookies:?}")
        };
        let attributes = format!("; Max-Age=86400; Path=/; HttpOnly; SameSite=Strict{suffix}");
        assert_eq!(*kept, format!("{prefix}vsay-proof{port}=proof{attributes}"));
        let session = session.strip_suffix(&attributes).unwrap();
        let token = session.strip_prefix(&format!("{prefix}vsay-session{port}=")).unwrap();
        assert_eq!(TokenKey::of(&config()).verify(token), Ok(proof()));
    }
}

#[test]
fn other_clients_get_their_tokens_as_ever() {
    for headers in [&[OWN][..], &[], &[CONSOLE, (FETCH_SITE, "cross-site")]] {
        let (body, cookies) = ask(HTTPS, "/login", "POST", headers);
        assert_eq!(body["session_token"], "proof");
        assert!(body["token"].is_string() && cookies.is_empty());
    }
}

#[test]
fn what_is_called_a_token_and_opens_nothing_here_stays_in_the_answer() {
    let (body, cookies) = ask(HTTPS, "/machine", "POST", &[CONSOLE, OWN]);
    assert_eq!((body, cookies), (json!({"token": "of something else"}), vec![]));
}

#[test]
fn the_cookie_counts_only_where_the_console_itself_asks() {
    let cookie = ("cookie", "a=b; __Host-vsay-session=kept; __Host-vsay-proof=more");
    let own_origin = ("origin", HTTPS);
    let is_asked_with_it = |headers: &[(&str, &str)]| ask(HTTPS, "/x", "POST", headers).0["bearer"] == "Bearer kept";
    for headers in [
        [CONSOLE, OWN, cookie, own_origin].as_slice(),
        // A browser that does not say whose page it is.
        &[CONSOLE, cookie, own_origin],
        &[CONSOLE, cookie],
    ] {
        assert!(is_asked_with_it(headers), "{headers:?}");
    }
    for headers in [
        // A form or a link of another site, a picture, a page of a sibling, a page that found out the header.
        [cookie].as_slice(),
        &[OWN, cookie],
        &[CONSOLE, cookie, (FETCH_SITE, "same-site")],
        &[CONSOLE, cookie, (FETCH_SITE, "cross-site"), own_origin],
        &[CONSOLE, cookie, (FETCH_SITE, "none")],
        &[CONSOLE, cookie, ("origin", "https://evil.example")],
        &[CONSOLE, cookie, ("origin", "null")],
        // A socket: its address is all that it may prove itself with.
        &[CONSOLE, OWN, cookie, ("upgrade", "websocket")],
        // What was set by http.
        &[CONSOLE, OWN, ("cookie", "vsay-session=kept")],
    ] {
        assert!(!is_asked_with_it(headers), "{headers:?}");
    }
}

#[test]
fn what_opens_other_organizations_is_there_for_the_operation_that_needs_it() {
    let cookie = ("cookie", "vsay-proof-8787=more; vsay-session-8787=kept");
    let (body, _) = ask(HTTP, "/x", "POST", &[CONSOLE, OWN, cookie]);
    assert_eq!(body, json!({"bearer": "Bearer kept", "proof": "more"}));
}

#[test]
fn a_token_that_the_request_brings_counts_before_the_cookie() {
    let headers = [
        CONSOLE,
        OWN,
        ("cookie", "vsay-session-8787=kept"),
        ("authorization", "Bearer own"),
    ];
    assert_eq!(ask(HTTP, "/x", "POST", &headers).0["bearer"], "Bearer own");
}

#[test]
fn what_opens_other_organizations_goes_with_the_sign_in_it_was_of() {
    let cookies = |cookie: &str| ask(HTTPS, "/refresh", "POST", &[CONSOLE, OWN, ("cookie", cookie)]).1;
    let other = Proof {
        sign_in: "of somebody before".to_owned(),
        ..proof()
    };
    let of = |proof: &Proof| TokenKey::of(&config()).renew(proof).unwrap();
    let session = |proof: &Proof| format!("__Host-vsay-session={}; __Host-vsay-proof=more", of(proof).expose());
    assert_eq!(cookies(&session(&proof())).len(), 1, "it is renewed");
    for cookie in [session(&other), "__Host-vsay-proof=more".to_owned()] {
        let gone = "__Host-vsay-proof=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(cookies(&cookie)[1], gone, "{cookie}");
    }
}

#[test]
fn signing_out_takes_the_cookies_away_even_if_they_are_worth_nothing() {
    let (_, cookies) = ask(HTTPS, SIGN_OUT, "POST", &[CONSOLE, OWN]);
    let gone = |name| format!("{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure");
    assert_eq!(cookies, [gone("__Host-vsay-session"), gone("__Host-vsay-proof")]);
}

#[test]
fn two_edges_on_one_computer_keep_their_sign_ins_apart() {
    let cookie = ("cookie", "vsay-session-8787=one; vsay-session-8788=other");
    let bearer = |url: &str| ask(url, "/x", "POST", &[CONSOLE, OWN, cookie]).0["bearer"].clone();
    assert_eq!(
        (bearer(HTTP), bearer("http://127.0.0.1:8788")),
        (json!("Bearer one"), json!("Bearer other"))
    );
}
