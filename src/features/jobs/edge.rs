//! Jobs of the edge: no runner has a part in them. The row is there first, and the work is done behind the answer. What it says is stored
//! line by line, as what runners write is, so that lists, logs and those who watch know no difference.
use std::fmt::{self, Display, Formatter};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::jobs::{JobStarted, JobStatus};
use protocol::ids::{JobId, ObjectId};
use protocol::terminal::jobs::JobOutput;

use super::id;
use super::store::{self, NewJob, Subject};
use crate::audit::{self, Event};
use crate::auth::caller::Caller;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{DbError, now, stored};
use crate::platform::error::ApiError;
use crate::platform::log;

/// How long the work of a job may take: the platform lets work behind an answer go on for half a minute, and within that the end has to be
/// stored, too.
const TIME: TimeDelta = TimeDelta::seconds(25);

/// After so long a job that still runs has lost what did its work: that was over in less, however late it began.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(2);

/// What a job of the edge is called.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// To what it does something.
    pub service: &'a str,
    /// What it does.
    pub action: &'a str,
    /// What of the inventory it is about.
    pub subject: Option<Subject<'a>>,
}

impl<'a> From<(&'a str, &'a str)> for Names<'a> {
    fn from((service, action): (&'a str, &'a str)) -> Self {
        let subject = None;
        Self {
            service,
            action,
            subject,
        }
    }
}

/// A job of the edge that runs, for whoever does its work.
pub struct EdgeJob {
    app: App,
    id: JobId,
    organization: ObjectId,
    /// How much of its output is stored, in bytes.
    written: u64,
    until: DateTime<Utc>,
}

/// Why a job has failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something went wrong. Whoever knows what else can be done does that.
    Error(String),
    /// Nobody waits for the job any more: somebody has called it off, or it was ended.
    Over(String),
}

impl Failure {
    /// Something went wrong.
    pub fn new(text: impl Display) -> Self {
        Self::Error(text.to_string())
    }

    /// The last line of the job's output.
    fn line(&self) -> String {
        match self {
            Self::Error(text) => format!("[ERROR: {text}]"),
            Self::Over(text) => format!("[{text}]"),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(text) | Self::Over(text) => f.write_str(text),
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        log::error(&format!("a job of the edge has failed: {}", error.cause()));
        Self::new(error.text())
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        ApiError::from(error).into()
    }
}

/// What a job does.
type Work<'j> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'j>>;

impl EdgeJob {
    /// Adds a job that is called so, for a caller whom the operation's rule has let pass, with what the log says of it.
    pub async fn begin(
        app: &App,
        caller: &Caller,
        names: impl Into<Names<'_>>,
        logged: &dyn Fn(&JobId) -> Event,
    ) -> Result<Self, ApiError> {
        let (db, at) = (app.db()?, now());
        let Names {
            service,
            action,
            subject,
        } = names.into();
        let add = async |id: &JobId| {
            let new = NewJob {
                id,
                action,
                script: None,
                now: &at,
                inputs: None,
                parent: None,
                schedule: None,
                subject,
                deploys: false,
            };
            let batch = (store::insert_at_edge(caller, service, new), audit::record(&logged(id)));
            Ok(db.run(batch).await)
        };
        let (id, _) = id::under_new(add).await?;
        Ok(Self {
            app: app.clone(),
            id,
            organization: caller.organization_id().clone(),
            written: 0,
            until: Utc::now() + TIME,
        })
    }

    /// Does its work behind the answer, which is that it runs.
    pub fn run(mut self, work: impl FnOnce(&mut Self) -> Work<'_> + 'static) -> Json<JobStarted> {
        let started = JobStarted {
            job_id: self.id.clone(),
            status: JobStatus::Running,
        };
        self.app.background().clone().run(async move {
            let done = work(&mut self).await;
            if let Err(error) = self.end(done).await {
                // It is ended as one that was lost.
                log::error(&format!("the end of a job is not stored: {}", error.cause()));
            }
        });
        Json(started)
    }

    /// What it can use.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whose it is.
    pub fn organization(&self) -> &ObjectId {
        &self.organization
    }

    /// How much time there is for the rest of its work; nothing if there is none.
    pub fn left(&self) -> Option<Duration> {
        (self.until - Utc::now()).to_std().ok().filter(|left| !left.is_zero())
    }

    /// Says a line. Fails if somebody has called the job off meanwhile.
    pub async fn say(&mut self, line: impl Display) -> Result<(), Failure> {
        self.say_all(&[line.to_string()]).await
    }

    /// Says lines at once.
    pub async fn say_all(&mut self, lines: &[String]) -> Result<(), Failure> {
        let output = self.output(lines);
        let (_, _, rows) = self.app.db()?.run(store::append_at_edge(&output)).await?;
        self.written += output.text.len() as u64;
        self.tell().await;
        match rows.into_iter().next().map(|row| row.cancelled_by) {
            Some(None) => Ok(()),
            Some(Some(username)) => Err(Failure::Over(format!("CANCELLED by {username}"))),
            None => Err(Failure::Over("the job was ended".to_owned())),
        }
    }

    async fn end(&self, done: Result<(), Failure>) -> Result<(), ApiError> {
        let (well, last) = match done {
            Ok(()) => (true, None),
            Err(failure) => (false, Some(self.output(&[failure.line()]))),
        };
        let said = last.as_ref().map(store::append_at_edge);
        let batch = (said, store::end_at_edge(&self.id, well, &now()));
        self.app.db()?.run(batch).await?;
        self.tell().await;
        Ok(())
    }

    /// Lines that come next.
    fn output(&self, lines: &[String]) -> JobOutput {
        JobOutput {
            job: self.id.clone(),
            offset: self.written,
            text: text_of(lines),
            deployment_id: None,
        }
    }

    async fn tell(&self) {
        tell(&self.app, &self.organization, &self.id).await;
    }
}

/// Lines as they are stored. What a provider says may have line ends, which would be more lines, and NUL, at which a database ends a text.
fn text_of(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
        text.push('\n');
    }
    text
}

/// Those who watch a job are told that there is more. Who was not told looks again when they ask.
async fn tell(app: &App, organization: &ObjectId, job: &JobId) {
    let told = match app.relay(organization) {
        Ok(relay) => relay.job_news(job).await,
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        log::error(&format!("who watches a job was not told of it: {}", error.cause()));
    }
}

/// Ends the jobs at `now` whose work nobody does any more: the isolate that did was lost.
pub async fn end_lost(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let lost = store::end_lost_at_edge(&stored(now), &stored(now - LOST_AFTER));
    for job in app.db()?.run(lost).await? {
        tell(app, &job.organization_id, &job.id).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_whatever_a_provider_says() {
        assert_eq!(text_of(&["one".into(), "t\nw\0o\r".into()]), "one\nt w o \n");
    }

    #[test]
    fn a_job_is_lost_when_its_work_must_be_over() {
        assert!(LOST_AFTER > TIME * 2);
    }
}
