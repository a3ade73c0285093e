//! SQL of jobs.
pub mod over;

use protocol::ids::{JobId, ObjectId};
use protocol::relay_contract::WatchContext;
use protocol::terminal::agent::ToAgent;
use protocol::terminal::jobs::{JobEnd, JobOutput};
use serde_json::Value;

use super::access::{DeployRight, JobControl};
use super::row::{
    EdgeRow, EndingJob, FoundJob, HeldUpBy, KnownRow, ListedJob, LostRow, OutputRow, PastJob, StoredRow, WatchedRow,
};
use crate::auth::account_store::{holds, is_active, networks};
use crate::auth::caller::Caller;
use crate::http::json_text::{json_flag, json_time};
use crate::http::page::Page;
use crate::platform::db::{Arg, Count, Nothing, Query, statements};

/// SQL: a [`Job`](protocol::api::jobs::Job) (`j`) that somebody (`o`) started, without its output. What is the same of all is written at
/// the end of the object, which has as many fields as one may have.
macro_rules! job {
    () => {
        concat!(
            "json_insert(json_object('id', j.id, 'service', j.service, 'action', j.action, 'script', j.script, 'parent_job_id', j.parent_job_id,
               'status', j.status, 'started_at', ",
            json_time!("j.started_at"),
            ", 'finished_at', ",
            json_time!("j.finished_at"),
            ", 'deployment_id', j.deployment_id, 'exit_code', j.exit_code, 'user_id', o.int_id, 'username', j.username,
               'started_by', j.username, 'cancelled', ",
            json_flag!("j.cancelled_by IS NOT NULL"),
            "), '$.object_id', j.object_id, '$.type_slug', j.type_slug, '$.schedule_id', j.schedule_id,
               '$.schedule_name', (SELECT s.name FROM schedules s WHERE s.id = j.schedule_id), '$.output', json('[]')) AS body"
        )
    };
}

/// SQL: whether the caller (`u`) sees a job (`j`).
macro_rules! sees {
    () => {
        concat!(
            "(",
            holds!("jobs.view_all"),
            " OR (j.user_id = u.id AND ",
            holds!("jobs.view_own"),
            "))"
        )
    };
}

/// SQL: the jobs of the caller's (?1) organization that it sees, narrowed by who started them (?2, ?3), status (?4), action (?5),
/// script (?6) and the type of what they are about (?7). Where only those that repeat one job, or are about one object, are wanted, their
/// index is named: nothing tells SQLite that these are few.
macro_rules! seen {
    ($index:literal) => {
        concat!(
            " FROM users u JOIN jobs j ",
            $index,
            " ON j.organization_id = u.organization_id LEFT JOIN users o ON o.id = j.user_id
             WHERE u.id = ?1 AND ",
            sees!(),
            " AND (?2 IS NULL OR o.int_id = ?2) AND (?3 IS NULL OR j.username = ?3)
               AND (?4 IS NULL OR j.status = ?4) AND (?5 IS NULL OR j.action = ?5) AND (?6 IS NULL OR j.script = ?6)
               AND (?7 IS NULL OR j.type_slug = ?7)"
        )
    };
}

/// SQL: a job (`j`) as [`FoundJob`], for a caller (`u`).
macro_rules! found {
    () => {
        concat!(
            "SELECT ",
            job!(),
            ", j.note, ",
            sees!(),
            " AS sees, j.id, j.machine_id, j.service, j.action, j.status, (j.user_id = u.id OR ",
            holds!("jobs.view_all"),
            ") AS may_cancel FROM users u"
        )
    };
}

statements! {
    /// A service is deployed once at a time: there is no such job if another that deploys it (?15, ?16) runs. The schedule (?12) may have been
    /// removed since it was looked up.
    INSERT = "INSERT INTO jobs (id, organization_id, machine_id, service, action, script, started_at, user_id, username, inputs_sealed,
           parent_job_id, schedule_id, object_id, type_slug, directory, deploys)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, (SELECT s.id FROM schedules s WHERE s.id = ?12), ?13, ?14, ?15, ?16
         WHERE NOT ?16 OR NOT EXISTS (
           SELECT 1 FROM jobs WHERE machine_id = ?3 AND status = 'running' AND directory = ?15 AND deploys = 1)";

    /// The deployment of a service (?1, ?2) for which a job (?3) is not there.
    HELD_UP_BY = "SELECT id AS job FROM jobs WHERE machine_id = ?1 AND status = 'running' AND directory = ?2 AND deploys = 1
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = ?3)";

    /// Its runner was not there, so there is no such job.
    REMOVE = "DELETE FROM jobs WHERE id = ?1 AND output_bytes = 0";

    LIST = concat!("SELECT j.id, ", job!(), ", j.note, j.output_bytes", seen!(""),
        " ORDER BY j.started_at DESC, j.id LIMIT ?8 OFFSET ?9");

    COUNT = concat!("SELECT COUNT(*) AS total", seen!(""));

    /// The same of one service (?8).
    LIST_OF_SERVICE = concat!("SELECT j.id, ", job!(), ", j.note, j.output_bytes", seen!(""),
        " AND j.service = ?8 ORDER BY j.started_at DESC, j.id LIMIT ?9 OFFSET ?10");

    COUNT_OF_SERVICE = concat!("SELECT COUNT(*) AS total", seen!(""), " AND j.service = ?8");

    /// The same of those that repeat one (?9), of all services unless one is named.
    LIST_OF_PARENT = concat!("SELECT j.id, ", job!(), ", j.note, j.output_bytes", seen!("INDEXED BY jobs_by_parent"),
        " AND (?8 IS NULL OR j.service = ?8) AND j.parent_job_id = ?9 ORDER BY j.started_at DESC, j.id LIMIT ?10 OFFSET ?11");

    COUNT_OF_PARENT = concat!("SELECT COUNT(*) AS total", seen!("INDEXED BY jobs_by_parent"),
        " AND (?8 IS NULL OR j.service = ?8) AND j.parent_job_id = ?9");

    /// The same of those that are about an object (?10), of all services and whatever they repeat unless one is named.
    LIST_OF_OBJECT = concat!("SELECT j.id, ", job!(), ", j.note, j.output_bytes", seen!("INDEXED BY jobs_of_object"),
        " AND (?8 IS NULL OR j.service = ?8) AND (?9 IS NULL OR j.parent_job_id = ?9) AND j.object_id = ?10
         ORDER BY j.started_at DESC, j.id LIMIT ?11 OFFSET ?12");

    COUNT_OF_OBJECT = concat!("SELECT COUNT(*) AS total", seen!("INDEXED BY jobs_of_object"),
        " AND (?8 IS NULL OR j.service = ?8) AND (?9 IS NULL OR j.parent_job_id = ?9) AND j.object_id = ?10");

    /// A job (?2) of the caller's (?1) organization.
    FIND = concat!(found!(), " JOIN jobs j ON j.id = ?2 AND j.organization_id = u.organization_id LEFT JOIN users o ON o.id = j.user_id
         WHERE u.id = ?1");

    /// The newest one that did something (?3) with a thing (?2); of some, that one (?4).
    FIND_OF_OBJECT = concat!(found!(), " JOIN jobs j INDEXED BY jobs_of_object ON j.organization_id = u.organization_id AND j.object_id = ?2
         AND j.action = ?3 AND (?4 IS NULL OR j.id = ?4) LEFT JOIN users o ON o.id = j.user_id
         WHERE u.id = ?1 ORDER BY j.started_at DESC, j.id LIMIT 1");

    /// A job (?2) of the caller's (?1) organization that is to run again.
    AGAIN = concat!("SELECT j.id, ", sees!(), " AS sees, j.service, j.action, j.script, j.type_slug, j.status, j.inputs_sealed
         FROM users u JOIN jobs j ON j.id = ?2 AND j.organization_id = u.organization_id WHERE u.id = ?1");

    /// What some jobs (?2, a JSON array) have written that the caller (?1) sees.
    OUTPUT = concat!("SELECT p.job_id, p.text FROM users u JOIN json_each(?2) w
         JOIN jobs j ON j.id = w.value AND j.organization_id = u.organization_id JOIN job_output p ON p.job_id = j.id
         WHERE u.id = ?1 AND ", sees!(), " ORDER BY p.job_id, p.offset");

    /// Parts of what a job (?2) has written from an offset (?3) on, for somebody (?1) who may still see it and has not withdrawn what they
    /// proved themselves by (?4, ?5).
    WATCHED = concat!("SELECT j.status, j.note, ", networks!(), " AS networks, p.offset, p.text
         FROM users u JOIN organizations o ON o.id = u.organization_id JOIN jobs j ON j.id = ?2 AND j.organization_id = u.organization_id
         LEFT JOIN job_output p ON p.job_id = j.id
           AND p.offset >= COALESCE((SELECT MAX(q.offset) FROM job_output q WHERE q.job_id = ?2 AND q.offset <= ?3), 0)
         WHERE u.id = ?1 AND ", is_active!(), " AND ", sees!(), "
           AND ((u.token_version = ?5 AND NOT EXISTS (SELECT 1 FROM revoked_sign_ins r WHERE r.sign_in = ?4))
             OR (?5 IS NULL AND EXISTS (SELECT 1 FROM api_keys k WHERE k.id = substr(?4, 5) AND k.user_id = u.id
               AND (k.expires_at IS NULL OR k.expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))))
         ORDER BY p.offset LIMIT 4");

    /// A runner (?1), or the edge (NULL), says what a job (?2) has written (?4) after so many bytes (?3): that is stored once, and nothing with a gap before it.
    APPEND = "INSERT INTO job_output (job_id, offset, line, text)
         SELECT id, ?3, output_lines, ?4 FROM jobs
         WHERE id = ?2 AND machine_id IS ?1 AND status = 'running' AND output_bytes = ?3
         ON CONFLICT (job_id, offset) DO NOTHING";

    /// So many bytes (?4) and ends of lines (?5) that is, and perhaps the deployment's name (?6).
    APPENDED = "UPDATE jobs SET output_bytes = output_bytes + ?4, output_lines = output_lines + ?5,
           deployment_id = COALESCE(deployment_id, ?6)
         WHERE id = ?2 AND machine_id IS ?1 AND status = 'running' AND output_bytes = ?3";

    STORED = "SELECT output_bytes FROM jobs WHERE id = ?2 AND machine_id = ?1 AND status = 'running'";

    /// A job (?2) of a runner (?1) that is about to have ended well: nobody has called it off.
    ENDING = "SELECT id, organization_id, machine_id, COALESCE(directory, service) AS service FROM jobs
         WHERE id = ?2 AND machine_id = ?1 AND status = 'running' AND cancelled_by IS NULL";

    /// It (?2) has ended well (?3) or not; one that was called off has not.
    END = "UPDATE jobs SET status = iif(?3 AND cancelled_by IS NULL, 'completed', 'failed'), finished_at = ?4, exit_code = ?5, signal = ?6, note = ?7
         WHERE id = ?2 AND machine_id IS ?1 AND status = 'running'";

    /// Whether a job (?1) of the edge runs, and who has called it off.
    AT_EDGE = "SELECT cancelled_by FROM jobs WHERE id = ?1 AND machine_id IS NULL AND status = 'running'";

    /// Jobs of the edge that have run since a time (?2) have lost what did their work.
    LOST_AT_EDGE = "UPDATE jobs SET status = 'failed', finished_at = ?1,
           note = '[ERROR: the edge was interrupted; look what has happened before you start it again]'
         WHERE machine_id IS NULL AND status = 'running' AND started_at < ?2 RETURNING id, organization_id";

    /// Somebody (?2) calls a job off. The first who does has.
    CANCEL = "UPDATE jobs SET cancelled_by = ?2 WHERE id = ?1 AND status = 'running' AND cancelled_by IS NULL";

    /// A runner (?1) has no note of what it is not known to have (?2, a JSON array) and was to have at a time (?4).
    LOST = "UPDATE jobs SET status = 'failed', finished_at = ?3, note = '[ERROR: the runner knows nothing of this job; it did not run, or what came of it is lost]'
         WHERE machine_id = ?1 AND status = 'running' AND started_at < ?4 AND id NOT IN (SELECT value FROM json_each(?2))";

    /// What is known of those that it has.
    KNOWN = "SELECT k.value AS job, j.output_bytes, j.cancelled_by FROM json_each(?2) k
         LEFT JOIN jobs j ON j.id = k.value AND j.machine_id = ?1 AND j.status = 'running'";
}

/// A job that is about to be started.
pub struct NewJob<'a> {
    pub id: &'a JobId,
    pub action: &'a str,
    pub script: Option<&'a str>,
    /// What it is given, sealed.
    pub inputs: Option<String>,
    /// The one that it repeats.
    pub parent: Option<&'a JobId>,
    /// Which schedule has it run.
    pub schedule: Option<&'a ObjectId>,
    /// What of the inventory it is about.
    pub subject: Option<Subject<'a>>,
    /// Whether it is a deployment.
    pub deploys: bool,
    pub now: &'a str,
}

/// What of the inventory a job is about: an object, or all of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The object's number.
    pub object_id: Option<i64>,
    /// Its type.
    pub type_slug: &'a str,
}

/// What a job's inputs are sealed with.
pub fn associated_data(job: &JobId) -> String {
    format!("jobs.inputs:{job}")
}

/// Adds a job that is done to what is called so, unless it is a deployment and another of that runs ([`held_up_by`]).
pub fn insert(right: &DeployRight, service: &str, new: NewJob) -> Query<Nothing> {
    insertion(right.caller(), Some((right.machine(), right.service())), service, new)
}

/// The deployment that runs in place of a job that was not added.
pub fn held_up_by(right: &DeployRight, id: &JobId) -> Query<HeldUpBy> {
    let args = [right.machine().into(), right.service().into(), id.as_str().into()];
    Query::new(HELD_UP_BY, args)
}

/// Adds a job of the edge, of something that is called so.
pub fn insert_at_edge(caller: &Caller, service: &str, new: NewJob) -> Query<Nothing> {
    insertion(caller, None, service, new)
}

/// `at` is the machine where it runs, and the directory of the service there.
fn insertion(caller: &Caller, at: Option<(&ObjectId, &str)>, service: &str, new: NewJob) -> Query<Nothing> {
    let (machine, directory) = at.unzip();
    Query::new(
        INSERT,
        [
            new.id.as_str().into(),
            caller.organization_id().into(),
            machine.into(),
            service.into(),
            new.action.into(),
            new.script.into(),
            new.now.into(),
            caller.id().into(),
            caller.username().into(),
            new.inputs.into(),
            new.parent.map(JobId::as_str).into(),
            new.schedule.into(),
            new.subject.and_then(|subject| subject.object_id).into(),
            new.subject.map(|subject| subject.type_slug).into(),
            directory.into(),
            new.deploys.into(),
        ],
    )
}

/// Takes it away again.
pub fn remove(id: &JobId) -> Query<Nothing> {
    Query::new(REMOVE, [id.as_str().into()])
}

/// Which jobs to list.
#[derive(Debug, Default)]
pub struct Filter {
    pub user_id: Option<i64>,
    pub username: Option<String>,
    pub service: Option<String>,
    pub status: Option<String>,
    pub action: Option<String>,
    pub script: Option<String>,
    pub parent: Option<String>,
    pub object_id: Option<i64>,
    pub type_slug: Option<String>,
}

/// A page of the jobs that a caller sees, and how many there are.
pub fn list(caller: &ObjectId, filter: Filter, page: Page) -> (Query<ListedJob>, Query<Count>) {
    let (limit, offset) = page.window();
    let Filter {
        user_id,
        username,
        service,
        status,
        action,
        script,
        parent,
        object_id,
        type_slug,
    } = filter;
    let mut args: Vec<Arg> = vec![
        caller.into(),
        user_id.into(),
        username.into(),
        status.into(),
        action.into(),
        script.into(),
        type_slug.into(),
    ];
    let (list, count) = match (service, parent, object_id) {
        (None, None, None) => (LIST, COUNT),
        (Some(service), None, None) => {
            args.push(service.into());
            (LIST_OF_SERVICE, COUNT_OF_SERVICE)
        }
        (service, Some(parent), None) => {
            args.extend([service.into(), parent.into()]);
            (LIST_OF_PARENT, COUNT_OF_PARENT)
        }
        (service, parent, Some(object)) => {
            args.extend([service.into(), parent.into(), object.into()]);
            (LIST_OF_OBJECT, COUNT_OF_OBJECT)
        }
    };
    let mut of_page = args.clone();
    of_page.extend([limit.into(), offset.into()]);
    (Query::of(list, of_page), Query::of(count, args))
}

/// One job of a caller's organization.
pub fn find(caller: &ObjectId, id: &str) -> Query<FoundJob> {
    Query::new(FIND, [caller.into(), id.into()])
}

/// The newest job of a caller's organization that did something with a thing, or the one of an id if it is such a one.
pub fn find_of_object(caller: &ObjectId, object: i64, action: &str, id: Option<&str>) -> Query<FoundJob> {
    Query::new(FIND_OF_OBJECT, [caller.into(), object.into(), action.into(), id.into()])
}

/// One that is to run again.
pub fn again(caller: &ObjectId, id: &str) -> Query<PastJob> {
    Query::new(AGAIN, [caller.into(), id.into()])
}

/// What some jobs have written that a caller sees.
pub fn output(caller: &ObjectId, jobs: &[&str]) -> Query<OutputRow> {
    Query::new(OUTPUT, [caller.into(), Value::from(jobs).to_string().into()])
}

/// How many parts [`watched`] gives at most, as its statement says: 128 KiB, which is read and sent in milliseconds.
pub const WATCHED_PARTS: usize = 4;

/// What a job has written from an offset on.
pub fn watched(context: &WatchContext, offset: u64) -> Query<WatchedRow> {
    let proof = &context.proof;
    Query::new(
        WATCHED,
        [
            (&context.user).into(),
            context.job.as_str().into(),
            whole(offset).into(),
            proof.sign_in.as_str().into(),
            proof.token_version.into(),
        ],
    )
}

/// Stores what a job has written, and asks how much of it is there.
pub fn append(machine: &ObjectId, output: &JobOutput) -> (Query<Nothing>, Query<Nothing>, Query<StoredRow>) {
    let (append, appended) = written(Some(machine), output);
    let stored = Query::new(STORED, [machine.into(), output.job.as_str().into()]);
    (append, appended, stored)
}

/// Stores what a job of the edge has written, and asks whether somebody has called it off.
pub fn append_at_edge(output: &JobOutput) -> (Query<Nothing>, Query<Nothing>, Query<EdgeRow>) {
    let (append, appended) = written(None, output);
    (append, appended, Query::new(AT_EDGE, [output.job.as_str().into()]))
}

fn written(machine: Option<&ObjectId>, output: &JobOutput) -> (Query<Nothing>, Query<Nothing>) {
    let job = || Arg::from(output.job.as_str());
    let offset = || Arg::Integer(whole(output.offset));
    let lines = output.text.bytes().filter(|byte| *byte == b'\n').count();
    (
        Query::new(APPEND, [machine.into(), job(), offset(), output.text.as_str().into()]),
        Query::new(
            APPENDED,
            [
                machine.into(),
                job(),
                offset(),
                whole(output.text.len() as u64).into(),
                whole(lines as u64).into(),
                output.deployment_id.as_deref().map(short).into(),
            ],
        ),
    )
}

/// What the runner is told once that was tried.
pub fn answer(job: JobId, rows: &[StoredRow]) -> ToAgent {
    match rows.first() {
        Some(row) => ToAgent::JobStored {
            job,
            offset: row.output_bytes,
        },
        None => ToAgent::ForgetJob { job },
    }
}

/// A job that is about to have ended well.
pub fn ending(machine: &ObjectId, job: &JobId) -> Query<EndingJob> {
    Query::new(ENDING, [machine.into(), job.as_str().into()])
}

/// Notes how a job ended.
pub fn end(machine: &ObjectId, end: &JobEnd, now: &str) -> Query<Nothing> {
    Query::new(
        END,
        [
            machine.into(),
            end.job.as_str().into(),
            (end.code == Some(0)).into(),
            now.into(),
            end.code.map(i64::from).into(),
            end.signal.as_deref().map(short).into(),
            end.note.as_deref().into(),
        ],
    )
}

/// Notes how a job of the edge ended. It has no script whose exit code could be told.
pub fn end_at_edge(job: &JobId, well: bool, now: &str) -> Query<Nothing> {
    Query::new(
        END,
        [
            Arg::Null,
            job.as_str().into(),
            well.into(),
            now.into(),
            Arg::Null,
            Arg::Null,
            Arg::Null,
        ],
    )
}

/// Ends the jobs of the edge that have run since before a time, and gives them.
pub fn end_lost_at_edge(now: &str, before: &str) -> Query<LostRow> {
    Query::new(LOST_AT_EDGE, [now.into(), before.into()])
}

/// Notes that the caller calls a job off.
pub fn cancel(control: &JobControl) -> Query<Nothing> {
    Query::new(
        CANCEL,
        [control.id().as_str().into(), control.caller().username().into()],
    )
}

/// Ends the jobs of a runner that it should know and does not, and asks what is known of those that it has.
pub fn compare(machine: &ObjectId, jobs: &[JobId], now: &str, before: &str) -> (Query<Nothing>, Query<KnownRow>) {
    let jobs = Value::from_iter(jobs.iter().map(JobId::as_str)).to_string();
    (
        Query::new(LOST, [machine.into(), jobs.as_str().into(), now.into(), before.into()]),
        Query::new(KNOWN, [machine.into(), jobs.into()]),
    )
}

/// What a runner is told of a job that it has: where to go on, and that it is called off; or that nobody waits for it.
pub fn answers(row: KnownRow) -> Vec<ToAgent> {
    let KnownRow {
        job,
        output_bytes,
        cancelled_by,
    } = row;
    let Some(offset) = output_bytes else {
        return vec![ToAgent::ForgetJob { job }];
    };
    let cancelled = cancelled_by.map(|username| ToAgent::CancelJob {
        job: job.clone(),
        username,
    });
    [ToAgent::JobStored { job, offset }]
        .into_iter()
        .chain(cancelled)
        .collect()
}

/// Longest word of a runner's that is kept as it is, in characters.
const MAX_WORD: usize = 100;

fn short(word: &str) -> String {
    word.chars().take(MAX_WORD).collect()
}

/// A number that is within what a double holds: offsets are below a few megabytes where they come in.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
