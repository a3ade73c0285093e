//! The list of instances.
use protocol::api::instances::InstanceList;

use crate::auth::caller::Credentials;
use crate::features::instances::{body, store};
use crate::http::json_text::JsonText;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Lists the organization's instances as an inventory of Ansible's, as they were listed last: `cached_at` says when. Before the first time it
/// is empty.
#[utoipa::path(get, path = "/api/instances", summary = "List instances",
    responses((status = 200, description = "The instances", body = InstanceList)))]
pub async fn list_instances(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::list(credentials.user_id(), &now());
    let (_, (head, hosts)) = credentials.load(&app.db()?, list).await?;
    Ok(body::instances(&head, &hosts))
}
