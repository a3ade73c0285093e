//! Which published routes there are, and which of them work, is written in `docs/compatibility.md`. These tests ask the server
//! about each line, and let no operation of the API document go without one.
use std::collections::BTreeSet;
use std::fs;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::account::{Account, Answer, send};
use crate::support::openapi::{Operation, operations};
use crate::support::root;
use crate::support::stack::Stack;

/// What the page says of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is an operation of the API document.
    Works,
    /// It is one, and nobody else published it.
    Ours,
    /// There is no such path.
    NotFound,
}

/// A line of the page's tables.
#[derive(Debug)]
struct Route {
    operation: Operation,
    websocket: bool,
    /// Whether it is in the document of a published API.
    published: bool,
    state: State,
}

impl Route {
    /// Reads a line, if it is one about a route.
    fn read(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (method, path) = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?.split_once(' ')?;
        let (apis, state) = match cells[..] {
            ["", _, apis, "works", _, ""] => (apis, State::Works),
            ["", _, apis, "404", why, ""] => {
                let decided = why.starts_with("to come: ") || why.starts_with("left out: ");
                assert!(decided, "say what becomes of it: {line}");
                (apis, State::NotFound)
            }
            ["", _, _, ""] => ("", State::Ours),
            _ => panic!("not a line of this page: {line}"),
        };
        let websocket = method == "WS";
        let method = if websocket { "GET" } else { method };
        Some(Self {
            operation: Operation {
                method: method.parse().expect("a method"),
                path: path.to_owned(),
                public: false,
                takes_body: method != "GET",
            },
            websocket,
            published: !apis.is_empty() && !apis.starts_with('('),
            state,
        })
    }

    /// Asks for it, with something of the right form for each parameter.
    async fn ask(&self, request: impl FnOnce(Method, &str) -> RequestBuilder) -> Answer {
        let path = self.operation.path_with(|name| {
            let value = match name {
                "agent_id" => "00000000000a",
                "filename" => "instance.yaml",
                "config" => "config.yaml",
                "subdir" => "inputs",
                "file_name" => "a.txt",
                "name" | "label" | "hostname" => "web",
                "region" => "mel",
                "slug" | "type_slug" => "server",
                "action" => "ssh",
                "token" => "a-token",
                "log_key" | "role_id" | "tag_id" | "acl_id" | "offset" => "999999999",
                name if name == "id" || name.ends_with("_id") => "00000000000000000000000a",
                other => panic!("say here what a {other} looks like"),
            };
            value.to_owned()
        });
        let mut request = request(self.operation.method.clone(), &path);
        if self.websocket {
            request = request
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        }
        if path.ends_with("/callback") {
            // It sends on to a page of the console, which only browsers get.
            request = request.header("accept", "text/html");
        }
        if self.operation.takes_body {
            request = request.json(&json!({}));
        }
        send(request).await
    }

    /// What is answered where there is no such path, in the form of its API.
    fn not_found(&self) -> (u16, Value) {
        let body = if self.operation.path.starts_with("/v1/") {
            json!({"success": false, "error": {"code": "NOT_FOUND", "message": "Not found"}})
        } else {
            json!({"error": "Not found", "detail": "Not found", "code": "not_found"})
        };
        (404, body)
    }
}

fn page() -> String {
    fs::read_to_string(root().join("docs/compatibility.md")).expect("the page is there")
}

fn routes() -> Vec<Route> {
    let routes: Vec<Route> = page().lines().filter_map(Route::read).collect();
    assert!(routes.len() >= 250, "the page lists routes");
    routes
}

#[tokio::test]
async fn every_route_is_answered_as_the_page_says() {
    let somebody = Account::new(Stack::shared().await).await;
    let routes = routes();
    // Parameters aside.
    let shape = |route: &Route| {
        let path = route.operation.path.split('/');
        path.map(|part| if part.starts_with('{') { "{}" } else { part })
            .collect::<Vec<_>>()
            .join("/")
    };
    let working: BTreeSet<String> = routes
        .iter()
        .filter(|route| route.state == State::Works)
        .map(shape)
        .collect();
    for route in &routes {
        let name = route.operation.name();
        let answer = route.ask(|method, path| somebody.anonymous.request(method, path)).await;
        match route.state {
            State::Works | State::Ours => {
                let answer = (answer.status, answer.body);
                assert_ne!(answer, route.not_found(), "{name}");
            }
            State::NotFound => {
                let signed_in = route.ask(|method, path| somebody.request(method, path)).await;
                for answer in [answer, signed_in] {
                    // The path is there for another method.
                    let other = answer.status == 405 && working.contains(&shape(route));
                    assert!(
                        other || (answer.status, &answer.body) == (404, &route.not_found().1),
                        "{name}: {answer:#?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn every_operation_has_its_line() {
    let anyone = Account::new(Stack::shared().await).await.anonymous;
    let in_document: BTreeSet<String> = operations(&anyone).await.iter().map(Operation::name).collect();
    let routes = routes();
    let works = |route: &&Route| matches!(route.state, State::Works | State::Ours);
    let on_page: Vec<String> = routes
        .iter()
        .filter(works)
        .map(|route| route.operation.name())
        .collect();
    let listed: BTreeSet<String> = on_page.iter().cloned().collect();
    let wrong: Vec<&String> = in_document.symmetric_difference(&listed).collect();
    assert!(
        wrong.is_empty(),
        "either not on the page or not in the document: {wrong:#?}"
    );
    assert_eq!(listed.len(), on_page.len(), "a route is listed once");

    // How many there are is said in words, too.
    let count = |published: bool| {
        let of_others = routes
            .iter()
            .filter(|route| route.state != State::Ours && route.published == published);
        let (working, rest): (Vec<&Route>, Vec<&Route>) = of_others.partition(|route| route.state == State::Works);
        (working.len(), working.len() + rest.len())
    };
    let ((published, of), (extra, others)) = (count(true), count(false));
    let sentence = format!("{published} of {of} published routes work, and {extra} of {others} others.");
    let text = page().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&sentence), "the page should say: {sentence}");
}
