//! Services of runners. What they are is known as it was told of last: relays bring what agents tell. Their files are at the runners, which
//! are asked for them.
pub mod access;
pub mod configs;
mod download;
mod files;
mod handlers;
mod outputs;
pub mod record;
pub mod row;
pub mod runner;
pub mod store;
mod vault;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "services";
        handlers::list_services => Needs(ServicesView),
        handlers::list_active_deployments => Needs(ServicesView),
        handlers::find_service => Needs(ServicesView),
        outputs::list_all_outputs => Needs(ServicesView),
        outputs::list_outputs => Needs(ServicesView),
        configs::list_configs => Needs(ServicesConfigView),
        configs::read_config => Needs(ServicesConfigView),
        configs::write_config => Needs(ServicesConfigEdit),
        files::list_files => Needs(ServicesFilesView),
        files::download_file => Needs(ServicesFilesView),
        files::upload_file => Needs(ServicesFilesEdit),
        files::write_file => Needs(ServicesFilesEdit),
        files::delete_file => Needs(ServicesFilesEdit),
        vault::find_vault_password => Needs(SystemSettingsView),
        vault::set_vault_password => Needs(SystemSettingsEdit),
    ]
}
