//! Looking at a services directory: what the catalog is made of. All of it may wait for a disk.
use std::io::Read;
use std::path::Path;

use nix::errno::Errno;
use protocol::terminal::services::{CONFIGS, DEPLOY, MAX_WRITTEN, Subdir, is_file_name, is_service_name};

use super::asks::asks;
use super::catalog::{Catalog, Found, Text};
use super::confined::{Folder, is_folder};
use super::yaml;

/// What a deployment leaves behind.
pub const INVENTORY: &str = "temp_inventory.yaml";

/// Playbooks of a service that are looked at. One with more has them in folders.
const MAX_PLAYBOOKS: usize = 16;

const OUTPUTS: &str = "service_outputs.yaml";

/// What there is. A directory that is missing has no services.
pub fn scan(root: &Path) -> nix::Result<Catalog> {
    let root = match Folder::root(root) {
        Err(Errno::ENOENT) => return Ok(Catalog::default()),
        root => root?,
    };
    let names = root.names()?.into_iter().filter(|name| is_service_name(name));
    // What vanishes meanwhile, is a link or nobody may enter is no service.
    let found = names.filter_map(|name| {
        let is_one = root.stat(&name).is_ok_and(|stat| is_folder(&stat));
        let service = is_one.then(|| root.folder(&name).ok()).flatten()?;
        Some(look(name, &service))
    });
    Ok(Catalog::of(found.collect()))
}

fn look(name: String, service: &Folder) -> Found {
    let outputs = service.folder(Subdir::Outputs.as_str()).ok();
    let inventory = outputs.map_or(Text::Missing, |outputs| text(&outputs, INVENTORY));
    let deployable = service.has_file(DEPLOY);
    if !deployable {
        return Found {
            name,
            inventory,
            ..Found::default()
        };
    }
    Found {
        name,
        deployable,
        inventory,
        configs: CONFIGS
            .iter()
            .filter(|name| service.has_file(name))
            .map(|&name| name.to_owned())
            .collect(),
        scripts: text(service, "scripts.yaml"),
        instance: text(service, "instance.yaml"),
        outputs: self::outputs(service),
        asks: playbooks_that_ask(service),
    }
}

/// The playbooks right in a service's directory that ask whoever runs them. Which of them its scripts run is not known, only which are there.
fn playbooks_that_ask(service: &Folder) -> Vec<String> {
    let is_playbook = |name: &String| {
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        is_yaml && is_file_name(name) && !CONFIGS.contains(&name.as_str())
    };
    let names = service.names().unwrap_or_default().into_iter().filter(is_playbook);
    let asks = |name: &String| match text(service, name) {
        Text::Is(text) => text.len() <= MAX_WRITTEN && asks(&text),
        Text::Missing | Text::Unreadable(_) => false,
    };
    names.take(MAX_PLAYBOOKS).filter(asks).collect()
}

/// What the last run of a service gave.
pub fn outputs(service: &Folder) -> Text {
    match service.folder(Subdir::Outputs.as_str()) {
        Ok(folder) => text(&folder, OUTPUTS),
        Err(_) => Text::Missing,
    }
}

/// The text of a file, and a byte more than may be of one that is too long.
fn text(folder: &Folder, name: &str) -> Text {
    let file = match folder.file(name) {
        Ok((file, _)) => file,
        Err(Errno::ENOENT) => return Text::Missing,
        Err(Errno::ELOOP) => return Text::Unreadable("it is a link".to_owned()),
        Err(error) => return Text::Unreadable(error.desc().to_owned()),
    };
    let mut bytes = Vec::new();
    match file.take(MAX_WRITTEN as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) => String::from_utf8(bytes).map_or_else(|_| Text::Unreadable("it is no UTF-8".to_owned()), Text::Is),
        Err(error) => Text::Unreadable(yaml::cut(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn names(root: &Path) -> Vec<String> {
        scan(root)
            .unwrap()
            .services
            .into_iter()
            .map(|service| service.name)
            .collect()
    }

    #[test]
    fn a_directory_with_a_deploy_script_is_a_service_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join(DEPLOY), "").unwrap();
        for name in ["web", "db", "no-script", ".git", "od d", "folder-script", "link-script"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        for name in ["web", "db", ".git", "od d"] {
            fs::write(root.path().join(name).join(DEPLOY), "").unwrap();
        }
        fs::create_dir(root.path().join("folder-script").join(DEPLOY)).unwrap();
        symlink("/bin/sh", root.path().join("link-script").join(DEPLOY)).unwrap();
        symlink(outside.path(), root.path().join("linked")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        assert_eq!(names(root.path()), ["db", "web"]);
    }

    #[test]
    fn a_directory_that_is_missing_has_no_services() {
        assert_eq!(names(Path::new("/no/such/services")), Vec::<String>::new());
    }

    #[test]
    fn what_a_service_has_is_looked_at() {
        let root = tempfile::tempdir().unwrap();
        let web = root.path().join("web");
        fs::create_dir_all(web.join("outputs")).unwrap();
        fs::write(web.join(DEPLOY), "").unwrap();
        fs::write(web.join("config.yaml"), "a: 1\n").unwrap();
        fs::write(web.join("instance.yaml"), "instances: [{label: test}]\n").unwrap();
        symlink("/etc/passwd", web.join("scripts.yaml")).unwrap();
        fs::write(web.join("outputs").join(INVENTORY), "").unwrap();
        fs::write(
            web.join("outputs").join(OUTPUTS),
            "outputs: [{name: site, type: url, value: x}]\n",
        )
        .unwrap();
        let service = scan(root.path()).unwrap().services.remove(0);
        assert_eq!(service.configs, ["config.yaml", "instance.yaml"]);
        assert!(service.deployed);
        assert_eq!(service.instance.unwrap()["instances"][0]["label"], "test");
        assert_eq!(service.outputs[0]["value"], "x");
        assert_eq!(service.problems, ["scripts.yaml: it is a link"]);
    }

    #[test]
    fn the_playbooks_of_a_service_that_ask_are_told_of() {
        let root = tempfile::tempdir().unwrap();
        let service = root.path().join("web");
        fs::create_dir_all(service.join("roles")).unwrap();
        let asking = "- hosts: all\n  tasks:\n    - pause:\n";
        for (name, text) in [
            ("deploy.sh", ""),
            ("main.yaml", asking),
            ("other.yml", asking),
            ("plain.yaml", "- hosts: all\n"),
            ("config.yaml", asking),
            ("notes.txt", asking),
            ("roles/inner.yaml", asking),
        ] {
            fs::write(service.join(name), text).unwrap();
        }
        fs::write(service.join("long.yaml"), asking.to_owned() + &"#".repeat(MAX_WRITTEN)).unwrap();
        symlink("main.yaml", service.join("link.yaml")).unwrap();
        assert_eq!(scan(root.path()).unwrap().services[0].asks, ["main.yaml", "other.yml"]);
    }
}
