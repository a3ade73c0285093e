//! What whoever runs the deployment watches: figures of all of it, in the text format of Prometheus. They are read from the
//! database when somebody asks; nothing is counted in memory, for nobody knows how many isolates there are.
mod gauges;
mod handlers;
mod text;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "operation";
        handlers::read_metrics => Open,
    ]
}
