//! Who may call what. Each operation is declared once, in its feature's `mod.rs`, and its rule travels with its requests:
//! [`Credentials`](super::caller::Credentials) find it there, and no caller comes out of them whom the rule does not let pass. A
//! handler without them asks nobody; the sweep over all operations without a token finds one that is not declared open.
//! `docs/reference/permissions.md` is the list of them all.
use axum::http::HeaderMap;
use utoipa::openapi::HttpMethod;

use super::permission::Permission;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Anybody. What the operation needs to know of its caller, such as a password or a mailed token, is in the request.
    Open,
    /// The agent of a machine, with its own kind of token.
    Agent,
    /// Anybody who is signed in; it concerns nobody but the caller, or gives each caller what that caller may see.
    SignedIn,
    /// The same, and a personal key does not do: what would let a program keep or widen its hold on the account, such as
    /// another key or a new password.
    InPerson,
    /// Anybody who is signed in, as far as the object that the request names allows (`access.rs` of its feature).
    Object,
    /// Whoever holds a permission in the organization; administrators hold all.
    Needs(Permission),
    /// The same, of an operation that was published as one for administrators: who is refused is told so.
    AdminOr(Permission),
    /// Administrators of the organization.
    Admin,
    /// Super administrators.
    SuperAdmin,
}

/// Whether an operation changes something, for keys that may only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing changes.
    Reads,
    /// Something may.
    Writes,
}

/// What is asked of the caller of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Who may call it.
    pub rule: Rule,
    /// What it does.
    pub effect: Effect,
    /// Whether somebody may call it who must choose a password first.
    pub before_password_change: bool,
    /// Whether a personal key does not do, whatever the rule lets pass.
    pub in_person: bool,
    /// Whether it changes something though it is a GET.
    pub acts: bool,
    /// Whether it says who people are, what they may do, or that they are there at all. A key does that only if it was made
    /// for it: one that leaks must not make administrators.
    pub of_people: bool,
}

impl From<Rule> for Operation {
    fn from(rule: Rule) -> Self {
        Self {
            rule,
            effect: Effect::Writes,
            before_password_change: false,
            in_person: false,
            acts: false,
            of_people: false,
        }
    }
}

impl Rule {
    /// Also for an account whose password somebody else chose, and which may do nothing else until it has chosen one itself: see
    /// that it must, do it, and sign out.
    pub fn before_password_change(self) -> Operation {
        Operation {
            before_password_change: true,
            ..self.into()
        }
    }

    /// A personal key does not do, as with [`Self::InPerson`].
    pub fn in_person(self) -> Operation {
        Operation {
            in_person: true,
            ..self.into()
        }
    }

    /// It changes something, whatever its method says: a key that may only read may not.
    pub fn acts(self) -> Operation {
        Operation {
            acts: true,
            ..self.into()
        }
    }

    /// It administers people.
    pub fn of_people(self) -> Operation {
        Operation {
            of_people: true,
            ..self.into()
        }
    }
}

impl Operation {
    /// The operation with these methods. What is only read changes nothing.
    pub fn with(self, methods: &[HttpMethod]) -> Self {
        let reads = methods.iter().all(|method| matches!(method, HttpMethod::Get));
        Self {
            effect: if reads && !self.acts {
                Effect::Reads
            } else {
                Effect::Writes
            },
            ..self
        }
    }

    /// The operation as a request with these headers asks for it. One that asks for a WebSocket may do anything afterwards.
    pub fn asked_with(self, headers: &HeaderMap) -> Self {
        let effect = match headers.contains_key("upgrade") {
            true => Effect::Writes,
            false => self.effect,
        };
        Self { effect, ..self }
    }
}

/// The operations of a feature.
pub type Routes = crate::http::operation::Routes<Operation>;

/// The operations of a feature, under a heading of the API document: handler, rule, and paths that it serves besides its own.
///
/// ```text
/// routes![
///     tag = "users";
///     list::list_users => AdminOr(UsersView),
///     create::create_user => AdminOr(UsersCreate), also "/api/users/invite",
///     find::read_own_user => SignedIn.before_password_change(),
/// ]
/// ```
///
/// Path, methods and description are those of the handler's `#[utoipa::path]`.
macro_rules! routes {
    (tag = $tag:expr; $($operations:tt)+) => {{
        #[allow(unused_imports, reason = "some features have no operation that needs a permission")]
        use $crate::auth::permission::Permission::*;
        #[allow(unused_imports, reason = "no feature has operations of all rules")]
        use $crate::auth::rule::Rule::*;
        $crate::auth::rule::operations!($crate::auth::rule::Routes::new($tag); $($operations)+)
    }};
}

/// Takes the operations of [`routes!`] one by one.
macro_rules! operations {
    ($routes:expr;) => { $routes };
    ($routes:expr; $module:ident::$handler:ident => $rule:expr, also $($alias:literal)and+ $(, $($rest:tt)*)?) => {
        $crate::auth::rule::operations!(
            $crate::auth::rule::operation!($routes, $module, $handler, $rule, $($alias),+); $($($rest)*)?)
    };
    ($routes:expr; $module:ident::$handler:ident => $rule:expr $(, $($rest:tt)*)?) => {
        $crate::auth::rule::operations!($crate::auth::rule::operation!($routes, $module, $handler, $rule,); $($($rest)*)?)
    };
}

/// Adds one of them.
macro_rules! operation {
    ($routes:expr, $module:ident, $handler:ident, $rule:expr, $($alias:literal),*) => {
        pastey::paste! {
            $routes.operation::<$module::[<__path_ $handler>], _, _>(
                $module::$handler,
                $crate::auth::rule::Operation::from($rule).with(&<$module::[<__path_ $handler>] as utoipa::Path>::methods()),
                &[$($alias),*],
            )
        }
    };
}
pub(crate) use {operation, operations, routes};

#[cfg(test)]
mod tests;
