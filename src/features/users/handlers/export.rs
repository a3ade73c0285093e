//! The people of an organization as a file.
use std::borrow::Cow;

use axum::response::Response;
use protocol::api::error::ErrorBody;
use protocol::api::export::ExportedUser;
use protocol::ids::ObjectId;
use serde::Deserialize;

use super::list::ListQuery;
use crate::auth::caller::Credentials;
use crate::features::users::store::{Filter, listed};
use crate::http::export::{Format, FormatQuery, PAGE, Row, Table, file};
use crate::http::extract::QueryParams;
use crate::platform::context::App;
use crate::platform::db::{Query, flag, json, statements};
use crate::platform::error::ApiError;

statements! {
    /// Those of the list (?1 to ?3) behind a number (?4), in order.
    WALK = concat!("SELECT u.int_id, u.id, u.username, u.email, u.first_name, u.last_name, u.role, u.machine_role,
           u.disabled_at IS NULL AS enabled, u.pending, u.email_verified, u.totp_confirmed_at IS NOT NULL AS second_factor,
           (SELECT json_group_array(r.name) FROM user_roles h JOIN roles r ON r.id = h.role_id WHERE h.user_id = u.id) AS roles,
           o.slug AS tenant_id, u.created_at, u.last_login_at", listed!(), " AND u.int_id > ?5 ORDER BY u.int_id LIMIT ?6");
}

/// An account as it is read.
#[derive(Debug, Deserialize)]
struct UserRow {
    int_id: i64,
    id: String,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    role: String,
    #[serde(deserialize_with = "json")]
    roles: Vec<String>,
    machine_role: String,
    #[serde(deserialize_with = "flag")]
    enabled: bool,
    #[serde(deserialize_with = "flag")]
    pending: bool,
    #[serde(deserialize_with = "flag")]
    email_verified: bool,
    #[serde(deserialize_with = "flag")]
    second_factor: bool,
    tenant_id: String,
    created_at: String,
    last_login_at: Option<String>,
}

impl From<UserRow> for ExportedUser {
    fn from(row: UserRow) -> Self {
        Self {
            int_id: row.int_id,
            id: row.id,
            username: row.username,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            role: row.role,
            roles: row.roles,
            machine_role: row.machine_role,
            enabled: row.enabled,
            pending: row.pending,
            email_verified: row.email_verified,
            second_factor: row.second_factor,
            tenant_id: row.tenant_id,
            created_at: row.created_at,
            last_login_at: row.last_login_at,
        }
    }
}

/// What its columns are called.
const COLUMNS: &[&str] = &[
    "int_id",
    "id",
    "username",
    "email",
    "first_name",
    "last_name",
    "role",
    "roles",
    "machine_role",
    "enabled",
    "pending",
    "email_verified",
    "second_factor",
    "tenant_id",
    "created_at",
    "last_login_at",
];

impl Row for ExportedUser {
    fn number(&self) -> i64 {
        self.int_id
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let word = |flag: bool| Cow::from(if flag { "yes" } else { "no" });
        vec![
            self.int_id.to_string().into(),
            self.id.as_str().into(),
            self.username.as_str().into(),
            self.email.as_str().into(),
            self.first_name.as_str().into(),
            self.last_name.as_str().into(),
            self.role.as_str().into(),
            self.roles.join(", ").into(),
            self.machine_role.as_str().into(),
            word(self.enabled),
            word(self.pending),
            word(self.email_verified),
            word(self.second_factor),
            self.tenant_id.as_str().into(),
            self.created_at.as_str().into(),
            self.last_login_at.as_deref().unwrap_or_default().into(),
        ]
    }
}

/// The people that `GET /api/users` lists as a file, those first who came first.
#[utoipa::path(get, path = "/api/users/export", summary = "Export the users", params(FormatQuery, ListQuery),
    responses((status = 200, description = "A file: a JSON array, or CSV", content((Vec<ExportedUser> = "application/json"), (String = "text/csv"))),
        (status = 400, description = "The format is not valid", body = ErrorBody),
        (status = 403, description = "The caller may not see the users", body = ErrorBody)))]
pub async fn export_users(
    app: App,
    credentials: Credentials,
    QueryParams(format): QueryParams<FormatQuery>,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Response, ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    let format = Format::parse(format.format.as_deref())?;
    let (caller, filter) = (caller.id().clone(), Filter::from(query));
    let table = Table {
        columns: COLUMNS.iter().copied().map(str::to_owned).collect(),
        page: move |after| walk(&caller, &filter, after),
        row: ExportedUser::from,
        at_once: PAGE,
    };
    file(app, format, "users", table)
}

fn walk(caller: &ObjectId, filter: &Filter, after: i64) -> Query<UserRow> {
    let [caller, tenant, search, role] = filter.args(caller);
    Query::new(WALK, [caller, tenant, search, role, after.into(), PAGE.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    fn export(db: &TestDb, caller: &str, filter: Filter, after: i64) -> Vec<ExportedUser> {
        let rows = db.run(walk(db.caller(caller).id(), &filter, after));
        rows.into_iter().map(ExportedUser::from).collect()
    }

    fn names(users: &[ExportedUser]) -> Vec<&str> {
        users.iter().map(|user| user.username.as_str()).collect()
    }

    #[test]
    fn the_people_of_one_organization_are_exported_in_order() {
        let db = TestDb::new();
        for (name, organization) in [("ann", "acme"), ("eve", "other"), ("bob", "acme"), ("cid", "acme")] {
            db.user(name, organization, "user");
        }
        db.execute(
            "UPDATE users SET deleted_at = 'x' WHERE username = 'cid'; UPDATE users SET disabled_at = 'x' WHERE username = 'bob';
             INSERT INTO roles (organization_id, name, created_at) SELECT organization_id, 'ops', '' FROM users WHERE username = 'bob';
             INSERT INTO user_roles SELECT u.id, r.id FROM users u, roles r WHERE u.username = 'bob' AND r.name = 'ops'",
        );
        let all = export(&db, "ann", Filter::default(), 0);
        assert_eq!(names(&all), ["ann", "bob"]);
        assert_eq!(
            (all[1].enabled, all[1].roles.as_slice(), all[1].tenant_id.as_str()),
            (false, &["ops".to_owned()][..], "acme")
        );
        assert_eq!(all[1].cells().len(), COLUMNS.len());
        assert_eq!(names(&export(&db, "ann", Filter::default(), all[0].int_id)), ["bob"]);
    }

    #[test]
    fn the_same_people_are_exported_as_are_listed() {
        let db = TestDb::new();
        for (name, organization, role) in [
            ("ann", "acme", "company_admin"),
            ("bob", "acme", "user"),
            ("eve", "other", "user"),
            ("root", "platform", "super_admin"),
        ] {
            db.user(name, organization, role);
        }
        let filter = |search: Option<&str>, tenant: Option<&str>| Filter {
            search: search.map(str::to_owned),
            tenant_id: tenant.map(str::to_owned),
            role: None,
        };
        for (caller, search, tenant, expected) in [
            ("ann", None, Some("other"), &["ann", "bob"][..]),
            ("ann", Some("BO"), None, &["bob"]),
            ("root", None, Some("other"), &["eve"]),
            ("root", None, Some("nowhere"), &[]),
            ("root", None, None, &["root"]),
        ] {
            let users = export(&db, caller, filter(search, tenant), 0);
            assert_eq!(names(&users), expected, "{caller} {search:?} {tenant:?}");
        }
    }
}
