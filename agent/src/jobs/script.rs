//! Finding the script of a job, and saying whether there is one.
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use protocol::terminal::agent::FromAgent;
use protocol::terminal::jobs::{StartJob, is_script_file, playbook_path};
use protocol::terminal::services::{Answer, Refusal, is_service_name};

use crate::services::confined::{Folder, refusal};

/// The directory of a service, if the script is a regular file in it and no link leads there.
///
/// The script is run by its path and not by what is opened here: scripts find their own files by `dirname "$0"` and by `BASH_SOURCE`, and
/// both would be `/dev/fd`. Whoever puts another file in its place between the two may as well write into the script: both take the right
/// to write into the service's directory, and what is put there runs as the same account, with that account's rights.
pub fn find(root: &Path, service: &str, file: &str) -> Result<PathBuf, Refusal> {
    if !is_service_name(service) {
        return Err(Refusal::NoService);
    }
    if !is_script_file(file) {
        return Err(Refusal::Traversal);
    }
    let opened = Folder::root(root).and_then(|root| root.folder(service));
    let mut folder = opened.map_err(|error| match error {
        Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP => Refusal::NoService,
        error => refusal(error),
    })?;
    let (folders, name) = file
        .rsplit_once('/')
        .map_or((None, file), |(folders, name)| (Some(folders), name));
    for step in folders.into_iter().flat_map(|folders| folders.split('/')) {
        folder = folder.folder(step).map_err(refusal)?;
    }
    folder.file(name).map_err(refusal)?;
    let place = root.canonicalize().map_err(|error| Refusal::Failed {
        error: error.kind().to_string(),
    })?;
    Ok(place.join(service))
}

/// Why a script or a playbook is not run, for the output of a job of which no answer is awaited.
pub fn words(refusal: &Refusal, start: &StartJob) -> String {
    let file = &start.file;
    match refusal {
        Refusal::NotFound if start.playbook.is_some() => {
            format!("Playbook not found: {}", playbook_path(&start.service, file))
        }
        Refusal::NoService => "Service not found".to_owned(),
        Refusal::Traversal => "Path traversal detected in script file".to_owned(),
        Refusal::NotFound => format!("Script file '{file}' not found"),
        Refusal::Failed { error } => format!("Script file '{file}': {error}"),
        other => format!("Script file '{file}': {other:?}"),
    }
}

/// The answer to the order to run a job, under its number: that it runs, or why not.
pub fn answer(number: u64, refusal: Option<Refusal>) -> FromAgent {
    let answer = refusal.map_or(Answer::Done, |refusal| Answer::Refused { refusal });
    FromAgent::Service { number, answer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_name_leads_out_of_the_service() {
        let root = tempfile::tempdir().unwrap();
        let service = root.path().join("web");
        fs::create_dir_all(service.join("scripts")).unwrap();
        fs::create_dir(root.path().join("other")).unwrap();
        for file in ["web/deploy.sh", "web/scripts/add.sh", "other/deploy.sh", "secret"] {
            fs::write(root.path().join(file), "").unwrap();
        }
        symlink("../other/deploy.sh", service.join("link.sh")).unwrap();
        symlink("../other", service.join("away")).unwrap();
        symlink("web", root.path().join("alias")).unwrap();
        let place = root.path().canonicalize().unwrap().join("web");
        for file in ["deploy.sh", "scripts/add.sh"] {
            assert_eq!(find(root.path(), "web", file), Ok(place.clone()), "{file}");
        }
        for file in [
            "../secret",
            "../other/deploy.sh",
            "scripts/../../secret",
            "/etc/passwd",
            "deploy.sh\0",
            "deploy.sh\0.txt",
            "./deploy.sh",
            "scripts//add.sh",
            "",
            "link.sh",
            "away/deploy.sh",
        ] {
            assert_eq!(find(root.path(), "web", file), Err(Refusal::Traversal), "{file:?}");
        }
        // Nothing is decoded: these are names that nothing has.
        for file in [
            "%2e%2e/secret",
            "..%2fsecret",
            "..\\secret",
            "missing.sh",
            "scripts",
            "deploy.sh/x",
        ] {
            assert_eq!(find(root.path(), "web", file), Err(Refusal::NotFound), "{file:?}");
        }
        for service in ["missing", "alias", "..", ".", "web/scripts", "", "w\0b"] {
            assert_eq!(
                find(root.path(), service, "deploy.sh"),
                Err(Refusal::NoService),
                "{service:?}"
            );
        }
    }
}
