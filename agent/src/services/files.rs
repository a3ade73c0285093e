//! What a runner does with a service's files when it is asked. All of it may wait for a disk.
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::renameat;
use nix::sys::stat::{FileStat, Mode, fchmod};
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};
use protocol::terminal::services::{
    Answer, Ask, CONFIGS, DEPLOY, Listed, MAX_CHUNK, MAX_DOWNLOAD, MAX_LISTED, MAX_WRITTEN, Place, Refusal, Subdir,
    is_file_name, is_service_name,
};

use super::catalog;
use super::confined::{Folder, own_like, refusal};
use super::scan;
use super::yaml;

/// What a file's backup adds to its name (contract of the published API).
const BACKUP: &str = ".backup";

/// What files begin with that are being written. One that a crash left behind is no file of the service's.
pub const PENDING: &str = ".vsay-";

/// The mode of a file that replaces none.
const NEW_FILE: Mode = Mode::from_bits_truncate(0o644);

/// The bits of a mode that a file's successor keeps.
const KEPT_MODE: u32 = 0o777;

/// Does what was asked.
pub fn answer(root: &Path, service: &str, ask: Ask) -> Answer {
    done(root, service, ask).unwrap_or_else(|refusal| Answer::Refused { refusal })
}

fn done(root: &Path, service: &str, ask: Ask) -> Result<Answer, Refusal> {
    let service = open_service(root, service)?;
    match ask {
        Ask::List { subdir, after } => list(&service, subdir, after.as_deref()),
        Ask::Read { place, from, version } => read(&service, &place, from, version.as_deref()),
        Ask::Write { place, content } => write(&service, &place, &content),
        Ask::Delete { place } => delete(&service, &place),
        Ask::Outputs => Ok(Answer::Outputs {
            outputs: catalog::outputs(scan::outputs(&service)),
        }),
    }
}

fn open_service(root: &Path, name: &str) -> Result<Folder, Refusal> {
    if !is_service_name(name) {
        return Err(Refusal::NoService);
    }
    let opened = Folder::root(root).and_then(|root| root.folder(name));
    match opened {
        Ok(service) if service.has_file(DEPLOY) => Ok(service),
        Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Err(Refusal::NoService),
        Err(error) => Err(refusal(error)),
    }
}

/// A name that may be asked for, in the directory that has it. A name that is none is refused before anything is opened.
struct Located<'a> {
    folder: Option<Folder>,
    service: &'a Folder,
    name: &'a str,
}

impl Located<'_> {
    fn folder(&self) -> &Folder {
        self.folder.as_ref().unwrap_or(self.service)
    }
}

/// Finds the directory of a place, and makes it if that is wanted.
fn locate<'a>(service: &'a Folder, place: &'a Place, make: bool) -> Result<Located<'a>, Refusal> {
    let (name, folder) = match place {
        Place::Config { name } if CONFIGS.contains(&name.as_str()) => (name, None),
        Place::File { subdir, name } if is_file_name(name) && !name.starts_with(PENDING) => {
            let open = if make { Folder::folder_or_new } else { Folder::folder };
            (name, Some(open(service, subdir.as_str()).map_err(refusal)?))
        }
        Place::Config { .. } | Place::File { .. } => return Err(Refusal::NotAllowed),
    };
    Ok(Located { folder, service, name })
}

fn list(service: &Folder, subdir: Subdir, after: Option<&str>) -> Result<Answer, Refusal> {
    let nothing = Answer::Files {
        files: Vec::new(),
        more: false,
    };
    let folder = match service.folder(subdir.as_str()) {
        Err(Errno::ENOENT) => return Ok(nothing),
        opened => opened.map_err(refusal)?,
    };
    let names = folder.names().map_err(refusal)?;
    let is_next = |name: &String| after.is_none_or(|after| name.as_str() > after);
    let may_be_asked_for = |name: &String| is_file_name(name) && !name.starts_with(PENDING);
    let listed = |name: String| {
        let stat = folder.stat(&name).ok().filter(super::confined::is_regular)?;
        Some(Listed {
            name,
            size: size(&stat),
            modified_ms: modified_ms(&stat),
        })
    };
    let mut files: Vec<Listed> = names
        .into_iter()
        .filter(is_next)
        .filter(may_be_asked_for)
        .filter_map(listed)
        .take(MAX_LISTED + 1)
        .collect();
    let more = files.len() > MAX_LISTED;
    files.truncate(MAX_LISTED);
    Ok(Answer::Files { files, more })
}

fn read(service: &Folder, place: &Place, from: u64, of: Option<&str>) -> Result<Answer, Refusal> {
    let located = locate(service, place, false)?;
    let (file, stat) = located.folder().file(located.name).map_err(refusal)?;
    let size = size(&stat);
    let most = match place {
        Place::Config { .. } => MAX_WRITTEN as u64,
        Place::File { .. } => MAX_DOWNLOAD,
    };
    if size > most {
        return Err(Refusal::TooLarge { size });
    }
    let version = version(&stat);
    if of.is_some_and(|of| of != version) {
        return Err(Refusal::Changed);
    }
    let mut content = vec![0; MAX_CHUNK.min(usize::try_from(size.saturating_sub(from)).unwrap_or(MAX_CHUNK))];
    let mut filled = 0;
    while let Some(rest) = content.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + filled as u64) {
            // It was cut short meanwhile.
            Ok(0) => return Err(Refusal::Changed),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(Answer::Chunk {
        content,
        size,
        modified_ms: modified_ms(&stat),
        version,
    })
}

fn write(service: &Folder, place: &Place, content: &[u8]) -> Result<Answer, Refusal> {
    if content.len() > MAX_WRITTEN {
        return Err(Refusal::TooLarge {
            size: content.len() as u64,
        });
    }
    let is_config = matches!(place, Place::Config { .. });
    let located = locate(service, place, true)?;
    if is_config {
        let text = std::str::from_utf8(content).map_err(|_| Refusal::InvalidYaml {
            reason: "it is no UTF-8".to_owned(),
        })?;
        if let Some(reason) = yaml::problem(text) {
            return Err(Refusal::InvalidYaml { reason });
        }
    }
    let (folder, name) = (located.folder(), located.name);
    let before = match folder.file(name) {
        Ok(before) => Some(before),
        Err(Errno::ENOENT) if folder.stat(name).is_err() => None,
        // A directory, or a pipe.
        Err(Errno::ENOENT) => return Err(Refusal::NotAllowed),
        Err(error) => return Err(refusal(error)),
    };
    if let (true, Some((file, stat))) = (is_config, &before) {
        replace(folder, &backup(name), Some(stat), &mut &*file)?;
    }
    replace(folder, name, before.as_ref().map(|(_, stat)| stat), &mut &*content)?;
    Ok(Answer::Done)
}

fn delete(service: &Folder, place: &Place) -> Result<Answer, Refusal> {
    let Place::File { .. } = place else {
        return Err(Refusal::NotAllowed);
    };
    let located = locate(service, place, false)?;
    let (folder, name) = (located.folder(), located.name);
    // A link is refused as one, and a directory is no file.
    folder.file(name).map_err(refusal)?;
    // The file itself becomes its backup: nothing is copied, and at no time is it in neither place.
    let descriptor = folder.descriptor();
    renameat(descriptor, name, descriptor, backup(name).as_str())
        .and_then(|()| fsync(descriptor))
        .map_err(refusal)?;
    Ok(Answer::Done)
}

fn backup(name: &str) -> String {
    format!("{name}{BACKUP}")
}

/// Makes a name mean this content, whole or not at all, with mode and owner of what it meant before.
fn replace(folder: &Folder, name: &str, before: Option<&FileStat>, content: &mut dyn Read) -> Result<(), Refusal> {
    let pending = pending_name()?;
    let file = folder.new_file(&pending).map_err(refusal)?;
    let descriptor = folder.descriptor();
    let written = fill(folder, file, before, content)
        .and_then(|()| Ok(renameat(descriptor, pending.as_str(), descriptor, name)?))
        .and_then(|()| Ok(fsync(descriptor)?));
    written.map_err(|error| {
        let _ = unlinkat(descriptor, pending.as_str(), UnlinkatFlags::NoRemoveDir);
        failed(&error)
    })
}

fn fill(folder: &Folder, mut file: File, before: Option<&FileStat>, content: &mut dyn Read) -> io::Result<()> {
    io::copy(content, &mut file)?;
    file.flush()?;
    match before {
        Some(before) => own_like(&file, before),
        None => own_like(&file, &folder.own_stat()?),
    }
    let mode = before.map_or(NEW_FILE, |before| Mode::from_bits_truncate(before.st_mode & KEPT_MODE));
    fchmod(&file, mode)?;
    file.sync_all()
}

fn pending_name() -> Result<String, Refusal> {
    let number = getrandom::u64().map_err(|error| failed(&io::Error::other(error.to_string())))?;
    Ok(format!("{PENDING}{number:016x}"))
}

fn failed(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(number) => refusal(Errno::from_raw(number)),
        None => Refusal::Failed {
            error: error.to_string(),
        },
    }
}

fn size(stat: &FileStat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

fn modified_ms(stat: &FileStat) -> u64 {
    u64::try_from(
        stat.st_mtime
            .saturating_mul(1000)
            .saturating_add(stat.st_mtime_nsec / 1_000_000),
    )
    .unwrap_or(0)
}

/// Another file, another length or another time is another version.
fn version(stat: &FileStat) -> String {
    format!(
        "{:x}-{:x}-{:x}.{:x}",
        stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec
    )
}

#[cfg(test)]
mod tests;
