//! Which file a program is that a command names.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use super::Place;
use super::builtins;
use super::programs::Used;
use super::rules::Named;

/// Links that are followed at most; the system follows as many.
const MAX_LINKS: usize = 40;

/// The program as the rules know it. Where a file cannot be found, it goes by its name alone.
pub fn resolve(used: &Used, place: &Place) -> Named {
    let name = used.program.rsplit('/').next().unwrap_or_default().to_owned();
    let is_builtin = !used.program.contains('/') && !used.is_file && builtins::is_builtin(&name);
    let file = if is_builtin { None } else { find(&used.program, place) };
    let mut links = Vec::new();
    let mut path = None;
    if let Some(file) = file {
        path = file.to_str().map(str::to_owned);
        links = links_of(file);
    }
    Named {
        harmless: is_builtin && builtins::is_harmless(&name),
        name,
        path,
        links,
        opaque: used.opaque.clone(),
    }
}

/// Where a program is, in a directory by its one real path, and under the name that it is called by.
fn find(program: &str, place: &Place) -> Option<PathBuf> {
    if program.is_empty() {
        return None;
    }
    if program.contains('/') {
        return real_directory(&place.directory.join(program));
    }
    let is_program = |file: &PathBuf| {
        fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    let file = place.path.iter().map(|folder| folder.join(program)).find(is_program)?;
    real_directory(&file)
}

/// The same file in its directory's one real path. What is not there is where it is said to be.
fn real_directory(file: &Path) -> Option<PathBuf> {
    let (directory, name) = (file.parent()?, file.file_name()?);
    Some(
        fs::canonicalize(directory)
            .unwrap_or_else(|_| plain(directory))
            .join(name),
    )
}

/// A path without `.` and `..`, by its text.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// What a file is a link to, one behind the other: of each its name and its path.
fn links_of(mut file: PathBuf) -> Vec<String> {
    let mut links = Vec::new();
    for _ in 0..MAX_LINKS {
        let Ok(to) = fs::read_link(&file) else { break };
        let to = file.parent().unwrap_or(Path::new("/")).join(to);
        let Some(next) = real_directory(&to) else { break };
        let text = |part: &std::ffi::OsStr| part.to_str().map(str::to_owned);
        links.extend(next.file_name().and_then(text));
        links.extend(text(next.as_os_str()));
        file = next;
    }
    links
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn place(folder: &Path) -> Place {
        Place {
            path: vec![folder.join("sbin"), folder.join("bin")],
            directory: folder.to_owned(),
        }
    }

    fn of(program: &str, place: &Place) -> Named {
        resolve(&Used::plain(program), place)
    }

    fn machine() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for directory in ["usr/bin", "sbin"] {
            fs::create_dir_all(folder.path().join(directory)).unwrap();
        }
        symlink("usr/bin", folder.path().join("bin")).unwrap();
        for program in ["usr/bin/rm", "usr/bin/many"] {
            fs::write(folder.path().join(program), "").unwrap();
            fs::set_permissions(folder.path().join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        symlink("many", folder.path().join("usr/bin/ls")).unwrap();
        symlink("../bin/ls", folder.path().join("sbin/dir")).unwrap();
        folder
    }

    #[test]
    fn a_name_is_the_first_program_on_the_way_by_the_real_path_of_its_directory() {
        let folder = machine();
        let root = fs::canonicalize(folder.path()).unwrap();
        let rm = of("rm", &place(folder.path()));
        assert_eq!(rm.path.as_deref(), root.join("usr/bin/rm").to_str());
        assert_eq!((rm.name.as_str(), rm.links.len()), ("rm", 0));
        for named in ["bin/rm", "./usr/../bin/rm", root.join("bin/rm").to_str().unwrap()] {
            assert_eq!(of(named, &place(folder.path())).path, rm.path, "{named}");
        }
        assert_eq!(of("nothing", &place(folder.path())).path, None);
    }

    #[test]
    fn a_link_is_told_with_all_that_it_leads_to() {
        let folder = machine();
        let root = fs::canonicalize(folder.path()).unwrap();
        let dir = of("dir", &place(folder.path()));
        assert_eq!(dir.path.as_deref(), root.join("sbin/dir").to_str());
        let path = |name: &str| root.join("usr/bin").join(name).to_str().unwrap().to_owned();
        assert_eq!(
            dir.links,
            ["ls".to_owned(), path("ls"), "many".to_owned(), path("many")]
        );
    }

    #[test]
    fn what_the_shell_does_itself_is_no_file() {
        let folder = machine();
        assert_eq!(of("echo", &place(folder.path())).path, None);
        assert!(of("echo", &place(folder.path())).harmless);
        assert!(!of("/bin/echo", &place(folder.path())).harmless);
        assert!(!of("rm", &place(folder.path())).harmless);
        assert!(!of("eval", &place(folder.path())).harmless);
    }
}
