//! Schedules: jobs that the clock starts, as whoever made a schedule or changed it last (`docs/schedules.md`). When one runs is worked out
//! when it is stored and whenever it has run; the clock looks each minute which times have come.
mod access;
mod cron;
mod handlers;
mod plan;
mod row;
mod rules;
mod start;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{change, read};

pub use start::run;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "schedules";
        read::list_schedules => Needs(SchedulesView),
        read::preview_schedule => Needs(SchedulesView),
        read::find_schedule => Needs(SchedulesView),
        read::list_schedule_runs => Needs(SchedulesView),
        change::create_schedule => Needs(SchedulesCreate),
        change::update_schedule => Needs(SchedulesEdit),
        change::delete_schedule => Needs(SchedulesDelete),
    ]
}
