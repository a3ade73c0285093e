//! Log lines, in one form for the Worker and its objects: each is one JSON object. Nothing that is logged may hold a token, a
//! password or a key.
//!
//! Which request a line belongs to is not handed from function to function. [`Scope::run`] says it whenever the work of that
//! request is taken up again, so that requests whose work takes turns in an isolate are told apart.
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use chrono::{SecondsFormat, Utc};
use serde::Serialize;

/// Shortest id of a request that is taken from outside: a shorter one finds too many lines.
const MIN_ID: usize = 8;

/// Longest one: that of a trace has 32 characters, and a UUID 36.
const MAX_ID: usize = 64;

/// Longest message, in characters. The platform drops what is far longer, and nobody reads it.
const MAX_MESSAGE: usize = 4096;

thread_local! {
    /// Whose work is being done.
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something was done.
    Info,
    /// Somebody was refused or had to wait.
    Warn,
    /// A failure of ours that somebody should look at.
    Error,
}

/// One line. What is absent is not written.
#[derive(Debug, Default, Serialize)]
pub struct Line<'a> {
    /// `info`, `warn` or `error`.
    level: &'static str,
    /// RFC 3339 in UTC.
    time: String,
    /// Of which request.
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    /// What happened.
    pub message: &'a str,
    /// Of a request: its method.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub method: &'a str,
    /// Its path as the API document writes it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub route: &'a str,
    /// The status of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the answer took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// The organization of who asked, where that is known.
    #[serde(skip_serializing_if = "str::is_empty")]
    organization_id: &'a str,
    /// Who asked, where that is known.
    #[serde(skip_serializing_if = "str::is_empty")]
    user_id: &'a str,
}

/// The work of one request.
#[derive(Debug, Clone)]
pub struct Scope(Arc<Known>);

#[derive(Debug)]
struct Known {
    request_id: String,
    /// Organization and account.
    caller: OnceLock<(String, String)>,
}

impl<'a> Line<'a> {
    /// One that says this.
    pub fn of(message: &'a str) -> Self {
        Self {
            message,
            ..Self::default()
        }
    }
}

/// Whether a text from outside may name a request.
pub fn is_request_id(text: &str) -> bool {
    (MIN_ID..=MAX_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl Scope {
    /// The work of the request with this id.
    pub fn new(request_id: String) -> Self {
        let caller = OnceLock::new();
        Self(Arc::new(Known { request_id, caller }))
    }

    /// That which is being done.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// The id of the request.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// Says who asks, once that is known.
    pub fn is_by(&self, organization: &str, user: &str) {
        // Who is known is the same one later on.
        let _ = self.0.caller.set((organization.to_owned(), user.to_owned()));
    }

    /// Does work of this request.
    pub fn run<'a, T>(&self, work: impl Future<Output = T> + 'a) -> Scoped<'a, T> {
        Scoped {
            scope: self.clone(),
            work: Box::pin(work),
        }
    }
}

/// Work that is some request's.
pub struct Scoped<'a, T> {
    scope: Scope,
    work: Pin<Box<dyn Future<Output = T> + 'a>>,
}

impl<T> Future for Scoped<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let before = CURRENT.replace(Some(self.scope.clone()));
        let polled = self.work.as_mut().poll(context);
        CURRENT.set(before);
        polled
    }
}

/// A failure of ours that somebody should look at.
pub fn error(message: &str) {
    write(Level::Error, Line::of(message));
}

/// Writes a line of the request at hand, if there is one.
pub fn write(level: Level, line: Line) {
    let text = text(level, line, Scope::current().as_ref());
    #[cfg(target_arch = "wasm32")]
    match level {
        Level::Info => worker::console_log!("{text}"),
        Level::Warn => worker::console_warn!("{text}"),
        Level::Error => worker::console_error!("{text}"),
    }
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{text}");
}

fn text(level: Level, line: Line, scope: Option<&Scope>) -> String {
    let known = scope.map(|scope| &*scope.0);
    let (organization_id, user_id) = match known.and_then(|known| known.caller.get()) {
        Some((organization, user)) => (organization.as_str(), user.as_str()),
        None => ("", ""),
    };
    let end = line.message.char_indices().nth(MAX_MESSAGE);
    let line = Line {
        level: match level {
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        },
        time: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        request_id: known.map_or("", |known| &known.request_id),
        message: end.map_or(line.message, |(end, _)| line.message.get(..end).unwrap_or_default()),
        organization_id,
        user_id,
        ..line
    };
    // Texts and numbers always become JSON.
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use serde_json::{Value, json};

    use super::*;

    fn said(line: Line) -> Value {
        let mut said: Value = serde_json::from_str(&text(Level::Error, line, Scope::current().as_ref())).unwrap();
        let time = said.as_object_mut().unwrap().remove("time").unwrap();
        assert!(time.as_str().unwrap().ends_with('Z'));
        said
    }

    fn message(message: &str) -> Line<'_> {
        Line::of(message)
    }

    /// Waits once.
    struct Turn(bool);

    impl Future for Turn {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            match std::mem::replace(&mut self.0, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }
    }

    #[test]
    fn a_line_is_one_line_whatever_it_says() {
        let text = text(Level::Info, message("a\nb \"c\" \u{7}"), None);
        assert!(
            !text.contains('\n') && text.starts_with(r#"{"level":"info","time":""#),
            "{text}"
        );
        assert_eq!(said(message("m")), json!({"level": "error", "message": "m"}));
        let long = "ü".repeat(MAX_MESSAGE + 1);
        assert_eq!(said(message(&long))["message"], long[..2 * MAX_MESSAGE]);
    }

    #[test]
    fn requests_whose_work_takes_turns_are_told_apart() {
        let work = |id: &str| {
            let scope = Scope::new(id.to_owned());
            let inner = scope.clone();
            scope.run(async move {
                inner.is_by("acme", inner.request_id());
                let before = said(message("m"));
                Turn(false).await;
                assert_eq!(before, said(message("m")));
                before
            })
        };
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (work("request-1"), work("request-2"));
        assert!(Pin::new(&mut first).poll(&mut context).is_pending());
        assert!(Pin::new(&mut second).poll(&mut context).is_pending());
        for (work, id) in [(&mut first, "request-1"), (&mut second, "request-2")] {
            let Poll::Ready(said) = Pin::new(work).poll(&mut context) else {
                panic!("not done")
            };
            let wanted = json!({"level": "error", "message": "m", "request_id": id,
                "organization_id": "acme", "user_id": id});
            assert_eq!(said, wanted);
        }
        assert!(Scope::current().is_none());
    }

    #[test]
    fn an_id_from_outside_is_bounded_and_plain() {
        for good in [
            "8f2d4c6b7a",
            "9a8b7c6d5e4f3a2b-FRA",
            "6f1c2d3e-0000-4000-8000-000000000000",
        ] {
            assert!(is_request_id(good), "{good}");
        }
        for bad in [
            "",
            "short",
            "with space",
            "line\nbreak",
            "\"quoted\"",
            &"x".repeat(MAX_ID + 1),
        ] {
            assert!(!is_request_id(bad), "{bad}");
        }
    }
}
