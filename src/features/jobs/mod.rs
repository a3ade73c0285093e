//! Jobs: deployments and scripts of services, which run on their runner, and what the edge does itself at a provider's. A row here says who
//! started what and how it ended; the runner's relay brings what it writes, or the edge writes it. `docs/services.md` has the whole.
mod access;
pub mod edge;
mod handlers;
mod id;
mod inputs;
mod output;
pub mod outputs;
pub mod record;
mod row;
pub mod store;
mod wanted;
pub mod watched;

use crate::auth::rule::{Routes, routes};

use handlers::{cancel, find, list, rerun, start, watch};

pub use access::{DeployRight, JobAccess};
pub use handlers::start::{start, started};
pub use handlers::watch::open as watch;
pub use wanted::{InventoryAction, Wanted};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "jobs";
        start::deploy_service => Needs(ServicesDeploy),
        start::run_script => Needs(ServicesDeploy),
        list::list_jobs => SignedIn,
        find::find_job => Object,
        cancel::cancel_job => Needs(JobsCancel),
        rerun::rerun_job => Needs(JobsRerun),
        watch::watch_job => Open,
        watch::stream_job => Object,
    ]
}
