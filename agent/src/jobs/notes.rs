//! What is on the machine's disk of its jobs: a file for each, there before the job starts and until the edge has stored its end. So an
//! agent that is started again knows which jobs were cut short, and how those ended that were over.
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use nix::unistd::Uid;
use protocol::ids::JobId;
use protocol::terminal::jobs::{JobEnd, MAX_JOBS, Outputs};

use crate::identity::write_private;

/// What an agent has left: jobs, each with its end if it had one.
pub type Left = Vec<(JobId, Option<JobEnd>)>;

/// The folder of the notes.
#[derive(Debug, Clone)]
pub struct Notes(PathBuf);

impl Notes {
    /// Opens the folder, which is this account's alone, and reads what the agent before this one has left there.
    pub fn open(folder: PathBuf) -> io::Result<(Self, Left)> {
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // In a folder that everybody may write to, somebody else may have been faster.
        let metadata = fs::symlink_metadata(&folder)?;
        if !metadata.is_dir() || metadata.uid() != Uid::effective().as_raw() || metadata.mode() & 0o077 != 0 {
            let error = format!("{} is not a folder of this account alone", folder.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        let mut left = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let name = entry?.file_name();
            if let Some(job) = name.to_str().and_then(|name| name.parse().ok()) {
                let end = fs::read(folder.join(&name)).ok();
                left.push((job, end.and_then(|end| serde_json::from_slice(&end).ok())));
            }
        }
        left.truncate(MAX_JOBS);
        Ok((Self(folder), left))
    }

    /// Notes that a job is about to start. When this returns, it is on the disk. One that was noted before is refused.
    pub fn start(&self, job: &JobId) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.path(job))?;
        file.sync_all()?;
        self.sync()
    }

    /// Notes how a job ended. What its service says of itself stays where it is, in the service's directory: there are secrets in it.
    pub fn end(&self, end: &JobEnd) -> io::Result<()> {
        let noted = JobEnd {
            outputs: Outputs::default(),
            ..end.clone()
        };
        write_private(&self.path(&end.job), &serde_json::to_vec(&noted)?)?;
        self.sync()
    }

    /// Drops the note of a job. One that stays is asked about again, and dropped then.
    pub fn forget(&self, job: &JobId) {
        if let Err(error) = fs::remove_file(self.path(job))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%job, %error, "the note of a job cannot be dropped");
        }
    }

    fn path(&self, job: &JobId) -> PathBuf {
        self.0.join(job.as_str())
    }

    /// A folder knows its files for good.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_next_agent_knows_what_was_started_and_how_it_ended_until_that_is_forgotten() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("jobs");
        let (notes, left) = Notes::open(folder.clone()).unwrap();
        assert!(left.is_empty());
        let [one, two]: [JobId; 2] = ["00000001", "00000002"].map(|id| id.parse().unwrap());
        notes.start(&one).unwrap();
        notes.start(&two).unwrap();
        assert_eq!(notes.start(&one).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let end = JobEnd {
            job: two.clone(),
            code: Some(2),
            signal: None,
            note: None,
            outputs: Outputs::default(),
        };
        notes.end(&end).unwrap();
        let (again, mut left) = Notes::open(folder.clone()).unwrap();
        left.sort_by_key(|(job, _)| job.clone());
        assert_eq!(left, [(one.clone(), None), (two.clone(), Some(end))]);
        again.forget(&one);
        again.forget(&two);
        assert!(Notes::open(folder).unwrap().1.is_empty());
    }

    #[test]
    fn a_folder_that_others_may_enter_holds_no_notes() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Notes::open(folder.path().to_owned()).is_err());
    }
}
