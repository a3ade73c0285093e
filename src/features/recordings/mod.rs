//! Recordings of terminal sessions: lists, files, and their end. The relay writes them (`durable-objects/src/relay/recorder/`):
//! the output into the bucket, the row into the database. A recording outlives its machine, until it expires.
mod access;
mod body;
mod file;
mod handlers;
pub mod output;
mod playback;
mod row;
pub mod session;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{download, list, live, remove, segments};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "recordings";
        list::list_machine_recordings => Object,
        list::list_recordings => Admin,
        list::find_recording => Object,
        download::create_recording_url => Object,
        download::download_recording => Object,
        download::read_recording_file => Open,
        segments::list_segments => Object,
        segments::read_segment => Object,
        live::create_live_ticket => Object.in_person(),
        live::watch_recording => Object,
        remove::delete_recording => Object,
    ]
}
