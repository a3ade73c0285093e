//! What a computer gets from the edge to become one of its machines: the installer, the agent, and `vsay` for people.
//!
//! The programs are files that are served without the Worker (`wrangler.toml`, `scripts/assets.sh`). Here is the script, which
//! says where this edge is, and what is answered where there is no such file.
mod handlers;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "downloads";
        handlers::install_script => Open,
        handlers::agent_file => Open,
        handlers::cli_file => Open,
    ]
}
