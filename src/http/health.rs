//! Whether the Worker answers at all.
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

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
