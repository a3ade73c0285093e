//! Whether the Worker answers at all, and whether it can work.
use protocol::api::error::ErrorBody;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, Exists, Query, statements};
use crate::platform::error::ApiError;

/// The newest of the migrations that this Worker was built with.
const SCHEMA: &str = env!("NEWEST_MIGRATION");

statements! {
    /// Whoever applies migrations keeps this table.
    APPLIED = "SELECT 1 FROM d1_migrations WHERE name = ?1";
}

/// Signs of life.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// `vsay-edge`.
    service: &'static str,
    /// The version that answers.
    version: &'static str,
}

/// Answers without looking at the database or the settings.
#[utoipa::path(get, path = "/health", summary = "Health",
    responses((status = 200, description = "The Worker answers", body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health {
        status: "ok",
        service: "vsay-edge",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// That the Worker can work.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    /// `ready`.
    status: &'static str,
    /// `vsay-edge`.
    service: &'static str,
    /// The version that answers.
    version: &'static str,
    /// The newest migration, which the database has.
    schema: &'static str,
}

/// Answers 503, and why, if the settings cannot be used, the database does not answer, or it is older than the Worker.
#[utoipa::path(get, path = "/ready", summary = "Readiness",
    responses((status = 200, description = "The Worker can work", body = Ready),
        (status = 503, description = "It cannot, and why", body = ErrorBody)))]
pub async fn ready(app: App) -> Result<Json<Ready>, ApiError> {
    match app.db()?.run(Query::<Exists>::new(APPLIED, [SCHEMA.into()])).await {
        Ok(rows) if !rows.is_empty() => Ok(Json(Ready {
            status: "ready",
            service: "vsay-edge",
            version: env!("CARGO_PKG_VERSION"),
            schema: SCHEMA,
        })),
        Ok(_) => Err(outdated()),
        Err(DbError::Other(text)) if text.contains("no such table") => Err(outdated()),
        Err(error) => {
            Err(ApiError::unavailable("database_unavailable", "The database does not answer").caused_by(error))
        }
    }
}

fn outdated() -> ApiError {
    ApiError::unavailable(
        "schema_outdated",
        format!(
            "The database is older than this server: it has no migration {SCHEMA}. Apply it: wrangler d1 migrations apply DB --remote"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn a_database_is_ready_once_it_has_the_newest_migration() {
        let db = TestDb::new();
        let applied = || db.run(Query::<Exists>::new(APPLIED, [SCHEMA.into()])).len();
        assert_eq!(applied(), 1);
        db.execute(&format!("DELETE FROM d1_migrations WHERE name = '{SCHEMA}'"));
        assert_eq!(applied(), 0);
        assert_eq!(outdated().status().as_u16(), 503);
        assert!(outdated().text().contains(SCHEMA));
    }
}
