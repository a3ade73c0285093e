//! Who has the key to a host: the services are asked one after another. Nothing is read outside of their directory, wherever a path or a
//! link leads.
use std::io::{self, Read};
use std::path::Path;

use nix::errno::Errno;
use protocol::terminal::services::{MAX_WRITTEN, Subdir, is_service_name};

use super::inventory::{self, Entry};
use crate::services::confined::{Folder, is_folder};
use crate::services::scan::INVENTORY;
use crate::services::yaml;

/// How paths begin that inventories have for the services directory, wherever it is (contract).
const VIRTUAL_ROOT: &str = "/services/";

/// Largest key that is read: RSA keys of 16384 bits have 13 KB.
const MAX_KEY: u64 = 64 * 1024;

/// How to get to a host, and what opens it.
#[derive(Debug)]
pub struct Credentials {
    /// Whose inventory says so.
    pub service: String,
    /// What it says.
    pub entry: Entry,
    /// The text of the key's file.
    pub key: String,
}

/// Those of the first service, by name, that knows the host and has the key's file. What cannot be read is passed over. All of it may wait
/// for a disk.
pub fn find(root: &Path, hostname: &str) -> io::Result<Option<Credentials>> {
    let directory = match Folder::root(root) {
        Err(Errno::ENOENT) => return Ok(None),
        directory => directory?,
    };
    let names = directory.names()?.into_iter().filter(|name| is_service_name(name));
    let mut services = names.filter(|name| directory.stat(name).is_ok_and(|stat| is_folder(&stat)));
    Ok(services.find_map(|service| of_service(root, &directory, service, hostname)))
}

fn of_service(root: &Path, directory: &Folder, service: String, hostname: &str) -> Option<Credentials> {
    let outputs = directory.folder(&service).ok()?.folder(Subdir::Outputs.as_str()).ok()?;
    let text = text(&outputs, INVENTORY, MAX_WRITTEN as u64)?;
    let entry = inventory::entry(&yaml::read(&text).ok()??, hostname)?;
    let mut steps = components(root, &service, &entry.key)?;
    let file = steps.pop()?;
    let mut folder = directory.folder(&steps.first()?.clone()).ok()?;
    for step in steps.iter().skip(1) {
        folder = folder.folder(step).ok()?;
    }
    let key = self::text(&folder, &file, MAX_KEY)?;
    Some(Credentials { service, entry, key })
}

/// The names on the way from the services directory to a file that a service names; nothing if it is not in there.
fn components(root: &Path, service: &str, path: &str) -> Option<Vec<String>> {
    let inside = |path: &str| -> Option<String> {
        let rest = Path::new(path).strip_prefix(root).ok()?;
        Some(rest.to_str()?.to_owned())
    };
    let path = match path.strip_prefix(VIRTUAL_ROOT) {
        Some(rest) => rest.to_owned(),
        None if path.starts_with('/') => inside(path)?,
        None => format!("{service}/{path}"),
    };
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()?),
            step => steps.push(step.to_owned()),
        }
    }
    // A file right in the services directory is of no service.
    (steps.len() > 1).then_some(steps)
}

fn text(folder: &Folder, name: &str, most: u64) -> Option<String> {
    let (file, _) = folder.file(name).ok()?;
    let mut text = String::new();
    file.take(most + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= most).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A directory with a service of this name whose inventory has `web` with a key.
    fn with(services: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (service, key) in services {
            let outputs = root.path().join(service).join("outputs");
            fs::create_dir_all(&outputs).unwrap();
            let text = format!("all:\n  hosts:\n    web: {{ansible_ssh_private_key_file: '{key}'}}\n");
            fs::write(outputs.join(INVENTORY), text).unwrap();
        }
        root
    }

    fn put(root: &TempDir, file: &str, text: &str) {
        let file = root.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn found(root: &TempDir) -> Option<(String, String)> {
        let found = find(root.path(), "web").unwrap();
        found.map(|found| (found.service, found.key))
    }

    fn is(service: &str, key: &str) -> Option<(String, String)> {
        Some((service.to_owned(), key.to_owned()))
    }

    #[test]
    fn the_first_service_with_the_host_and_the_keys_file_has_it() {
        let root = with(&[("a", "missing"), ("b", "keys/id"), ("c", "id")]);
        put(&root, "a/outputs/other", "");
        put(&root, "c/id", "of c");
        assert_eq!(found(&root), is("c", "of c"));
        put(&root, "b/keys/id", "of b");
        assert_eq!(found(&root), is("b", "of b"));
        fs::write(root.path().join("b/outputs").join(INVENTORY), "all: [1").unwrap();
        assert_eq!(found(&root), is("c", "of c"));
        assert!(find(root.path(), "other").unwrap().is_none());
        assert!(find(Path::new("/no/such/services"), "web").unwrap().is_none());
    }

    #[test]
    fn a_key_is_found_by_every_kind_of_path_into_the_directory() {
        for path in [
            "id",
            "./id",
            "x/../id",
            "../web/id",
            "/services/web/id",
            "../keys/../web/id",
        ] {
            let root = with(&[("web", path)]);
            put(&root, "web/id", "key");
            assert_eq!(found(&root), is("web", "key"), "{path}");
        }
        let root = with(&[("web", "/services/ops/keys/id")]);
        put(&root, "ops/keys/id", "key");
        assert_eq!(found(&root), is("web", "key"));
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("web/id").display().to_string();
        let text = format!("all:\n  hosts:\n    web: {{ansible_ssh_private_key_file: {inside}}}\n");
        put(&root, "web/outputs/temp_inventory.yaml", &text);
        put(&root, "web/id", "key");
        assert_eq!(found(&root), is("web", "key"));
    }

    #[test]
    fn nothing_outside_of_the_directory_is_read() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("id"), "secret").unwrap();
        let secret = outside.path().join("id").display().to_string();
        for path in [
            secret.as_str(),
            "../../id",
            "/services/../id",
            "/services/",
            "/services/id",
            "/etc/hostname",
            "link/id",
            "linked",
            "",
            "keys",
            "/services/web/link/id",
        ] {
            let root = with(&[("web", path)]);
            put(&root, "web/keys/x", "");
            put(&root, "id", "no service's");
            symlink(outside.path(), root.path().join("web/link")).unwrap();
            symlink(&secret, root.path().join("web/linked")).unwrap();
            symlink(outside.path(), root.path().join("other")).unwrap();
            assert_eq!(found(&root), None, "{path}");
        }
        // A service that is a link is none, and neither is an inventory.
        let root = tempfile::tempdir().unwrap();
        let other = with(&[("web", "id")]);
        put(&other, "web/id", "secret");
        symlink(other.path().join("web"), root.path().join("web")).unwrap();
        assert_eq!(found(&root), None);
    }

    #[test]
    fn what_is_too_long_is_no_key() {
        let root = with(&[("web", "id")]);
        put(&root, "web/id", &"x".repeat(MAX_KEY as usize + 1));
        assert_eq!(found(&root), None);
    }
}
