//! Who watches a job: where each is in what it has written, and what it is told next. Lines come from the database, to which the runner's
//! output goes first, so what a watcher has seen is what everybody will see, and whatever of a relay is lost, nothing of it is.
use protocol::api::jobs::JobStatus;
use protocol::relay_contract::{Telling, WatchContext};
use protocol::terminal::job_watch::{ToWatcher, event_of_end, event_of_line};
use serde::{Deserialize, Serialize};

/// How long a read is waited for, in milliseconds. One that takes longer is nobody's any more: whoever waited was ended by the platform.
const READ_LOST: u64 = 10_000;

/// What is stored of a job's output from where somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobText {
    /// How far the job has come.
    pub status: JobStatus,
    /// Its last line, if somebody had something to say.
    pub note: Option<String>,
    /// What follows: at least a line, unless it is all there is.
    pub text: String,
    /// Whether it is all that is stored.
    pub whole: bool,
}

/// Somebody who watches, as it is attached to their socket.
#[derive(Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Who, what, and how it is told.
    pub context: WatchContext,
    /// Where the next line begins, in bytes.
    pub offset: u64,
    /// Its number.
    line: u64,
    /// Whether the status was told.
    greeted: bool,
    /// Whether it says when it takes more, and has not.
    waits: bool,
    /// Whether there may be more than it was told. There may, where nothing is known.
    #[serde(skip, default = "yes")]
    stale: bool,
    /// Since when its next lines are read.
    #[serde(skip)]
    reading: Option<u64>,
    /// Since when it has not taken what was sent to it.
    #[serde(skip)]
    pub behind: Option<u64>,
}

fn yes() -> bool {
    true
}

impl Watch {
    /// Somebody who has seen nothing.
    pub fn new(context: WatchContext) -> Self {
        Self {
            waits: context.telling == Telling::Events,
            context,
            offset: 0,
            line: 0,
            greeted: false,
            stale: true,
            reading: None,
            behind: None,
        }
    }

    /// There may be more.
    pub fn hint(&mut self) {
        self.stale = true;
    }

    /// It said something. Who is told events says how many lines it has when it takes more: what was lost on the way, it is told again.
    pub fn says(&mut self, text: &str) {
        if self.context.telling != Telling::Events {
            return;
        }
        let Ok(has) = text.parse::<u64>() else { return };
        if self.line != has {
            self.context.from = has;
            (self.offset, self.line) = (0, 0);
        }
        (self.waits, self.stale) = (false, true);
    }

    /// Whether it is to be told more, and nobody reads that.
    pub fn is_due(&self, now: u64) -> bool {
        let is_due = self.reading.map_or(self.stale, |since| now >= since + READ_LOST);
        is_due && !self.waits
    }

    /// What follows is being read.
    pub fn reads(&mut self, now: u64) {
        (self.stale, self.reading) = (false, Some(now));
    }

    /// It was read from an offset, or could not be. Answers whether it is what comes next.
    pub fn has_read(&mut self, offset: u64) -> bool {
        self.reading = None;
        self.stale |= self.offset != offset;
        self.offset == offset
    }

    /// What it is told of what was read, and whether that was all there will be.
    pub fn take(&mut self, read: &JobText) -> (Vec<String>, bool) {
        let over = read.whole && read.status != JobStatus::Running;
        let end = match over {
            true => read.text.len(),
            false => read.text.rfind('\n').map_or(0, |at| at + 1),
        };
        let lines = read.text.get(..end).unwrap_or_default().lines();
        let note = read.note.as_deref().filter(|_| over);
        let mut frames = Vec::new();
        if !std::mem::replace(&mut self.greeted, true) {
            self.status(&mut frames, read.status);
        }
        let mut events = String::new();
        for line in lines.chain(note) {
            let index = self.line;
            self.line += 1;
            if index < self.context.from {
                continue;
            }
            match self.context.telling {
                Telling::Frames => frames.push(ToWatcher::Output { data: line, index }.encode()),
                Telling::Events => event_of_line(&mut events, line),
            }
        }
        match (over, self.context.telling) {
            (true, Telling::Frames) => frames.push(ToWatcher::Done { status: read.status }.encode()),
            (true, Telling::Events) => event_of_end(&mut events, read.status),
            (false, _) => {}
        }
        if !events.is_empty() {
            self.waits = true;
            frames.push(events);
        }
        self.offset += end as u64;
        self.stale |= !read.whole;
        (frames, over)
    }

    fn status(&self, frames: &mut Vec<String>, status: JobStatus) {
        if self.context.telling == Telling::Frames {
            frames.push(ToWatcher::Status { status }.encode());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::relay_contract::SignIn;
    use serde_json::{Value, json};

    fn watch(telling: Telling, from: u64) -> Watch {
        Watch::new(WatchContext {
            job: "0123abcd".parse().unwrap(),
            user: "0".repeat(24).parse().unwrap(),
            proof: SignIn::default(),
            from,
            telling,
        })
    }

    fn read(text: &str, status: JobStatus) -> JobText {
        let (note, text) = (
            (status == JobStatus::Failed).then(|| "[gone]".to_owned()),
            text.to_owned(),
        );
        let whole = true;
        JobText {
            status,
            note,
            text,
            whole,
        }
    }

    fn told(watch: &mut Watch, text: &str, status: JobStatus) -> Vec<Value> {
        let (frames, _) = watch.take(&read(text, status));
        frames
            .iter()
            .map(|frame| serde_json::from_str(frame).unwrap())
            .collect()
    }

    #[test]
    fn lines_are_told_when_they_are_whole_and_the_end_after_all_of_them() {
        let mut watch = watch(Telling::Frames, 0);
        let running = json!({"type": "status", "status": "running"});
        assert_eq!(told(&mut watch, "on", JobStatus::Running), [running]);
        let one = json!({"type": "output", "data": "one", "index": 0});
        assert_eq!(told(&mut watch, "one\r\ntw", JobStatus::Running), [one]);
        assert_eq!(watch.offset, 5);
        let rest = ["two", "[gone]"].into_iter().zip(1..);
        let mut last: Vec<Value> = rest
            .map(|(data, index)| json!({"type": "output", "data": data, "index": index}))
            .collect();
        last.push(json!({"type": "done", "status": "failed"}));
        assert_eq!(told(&mut watch, "two", JobStatus::Failed), last);
    }

    #[test]
    fn who_comes_back_is_not_told_again_what_it_has() {
        let mut watch = watch(Telling::Frames, 2);
        let frames = told(&mut watch, "a\nb\nc\n", JobStatus::Running);
        assert_eq!(frames[1..], [json!({"type": "output", "data": "c", "index": 2})]);
    }

    #[test]
    fn events_are_told_when_they_are_asked_for_and_again_if_they_were_lost() {
        let mut watch = watch(Telling::Events, 0);
        assert!(!watch.is_due(0));
        watch.says("0");
        assert!(watch.is_due(0));
        watch.reads(0);
        assert!(!watch.is_due(0) && watch.is_due(READ_LOST));
        assert!(watch.has_read(0));
        let (frames, _) = watch.take(&read("a\rb\nc\n", JobStatus::Running));
        assert_eq!(frames, ["data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"]);
        watch.hint();
        assert!(!watch.is_due(0), "it has not taken them");
        watch.says("1");
        assert_eq!((watch.offset, watch.is_due(0)), (0, true));
        let (frames, over) = watch.take(&read("a\nc\n", JobStatus::Completed));
        assert_eq!(frames, ["data: c\r\n\r\nevent: done\r\ndata: completed\r\n\r\n"]);
        assert!(over);
    }

    #[test]
    fn what_is_read_twice_counts_once_and_what_is_missed_is_read() {
        let mut watch = watch(Telling::Frames, 0);
        watch.reads(0);
        watch.hint();
        assert!(watch.has_read(0));
        watch.take(&read("a\n", JobStatus::Running));
        assert!(watch.is_due(0), "something came while it was read");
        watch.reads(0);
        assert!(!watch.has_read(0) && watch.is_due(0));
    }

    #[test]
    fn what_is_attached_to_a_socket_is_what_a_new_relay_goes_on_with() {
        let mut before = watch(Telling::Frames, 0);
        before.reads(0);
        before.take(&read("a\nb", JobStatus::Running));
        let mut after: Watch = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        assert!(after.is_due(0));
        let frames = told(&mut after, "b\n", JobStatus::Running);
        assert_eq!(frames, [json!({"type": "output", "data": "b", "index": 1})]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_told_twice(lines in proptest::collection::vec("[^\\r\\n]{0,6}", 0..10), cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut)).collect();
            cuts.sort_unstable();
            let mut watch = watch(Telling::Frames, 0);
            let mut seen = Vec::new();
            for stored in cuts {
                if let Some(more) = text.get(watch.offset as usize..stored) {
                    seen.extend(told(&mut watch, more, JobStatus::Running));
                }
            }
            let rest = &text[watch.offset as usize..];
            seen.extend(told(&mut watch, rest, JobStatus::Completed));
            let output: Vec<String> = seen.iter().filter_map(|frame| frame["data"].as_str().map(str::to_owned)).collect();
            prop_assert_eq!(output, lines);
        }
    }
}
