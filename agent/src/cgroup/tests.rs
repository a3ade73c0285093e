use super::*;

/// A system whose agent is in this group, of what is beside the test's own.
fn system(group: &str, controllers: &str) -> (tempfile::TempDir, System, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let system = System::at(root.path().to_owned());
    let own = system.path("sys/fs/cgroup").join(group);
    let base = own.parent().unwrap().to_owned();
    fs::create_dir_all(&own).unwrap();
    fs::create_dir_all(system.path("proc/self")).unwrap();
    fs::write(
        system.path("proc/self/cgroup"),
        format!("2:cpu:/elsewhere\n0::/{group}\n"),
    )
    .unwrap();
    fs::write(base.join("cgroup.controllers"), controllers).unwrap();
    (root, system, base)
}

const SERVICE: &str = "system.slice/vsay-agent.service";

fn delegated_to_agent() -> (tempfile::TempDir, System, PathBuf) {
    system(&format!("{SERVICE}/{AGENT}"), "cpu memory pids\n")
}

fn limits(max_processes: u32, max_memory_mb: u32) -> SessionLimits {
    SessionLimits {
        idle_minutes: 0,
        max_processes,
        max_memory_mb,
    }
}

fn read(group: &Group, file: &str) -> Option<String> {
    fs::read_to_string(group.path().join(file)).ok()
}

#[test]
fn a_session_is_bound_by_what_is_set_and_by_nothing_else() {
    let (_root, system, base) = delegated_to_agent();
    let cgroups = Cgroups::find(&system);
    assert_eq!(cgroups.hold(), Ok(()));
    assert_eq!(cgroups.fact()[FACT], "held");
    assert_eq!(
        fs::read_to_string(base.join("cgroup.subtree_control")).unwrap(),
        "+pids +memory"
    );
    assert!(cgroups.group(&limits(0, 0)).unwrap().is_none());
    let both = cgroups.group(&limits(100, 64)).unwrap().unwrap();
    assert_eq!(read(&both, "pids.max").as_deref(), Some("100"));
    assert_eq!(read(&both, "memory.max").as_deref(), Some("67108864"));
    assert_eq!(both.entrance(), both.path().join("cgroup.procs"));
    assert_eq!(both.path().parent(), Some(base.as_path()));
    let one = cgroups.group(&limits(16, 0)).unwrap().unwrap();
    assert_eq!(
        (read(&one, "pids.max").as_deref(), read(&one, "memory.max")),
        (Some("16"), None)
    );
    assert_ne!(one.path(), both.path());
}

#[test]
fn where_the_kernel_has_swap_a_session_does_not_get_its_memory_from_there() {
    let (_root, _system, base) = delegated_to_agent();
    let path = base.join("session-of-a-test");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("memory.swap.max"), "max").unwrap();
    let cgroups = Cgroups::find(&System::at(PathBuf::from("/nowhere")));
    let group = Group::bind(path, &limits(0, 64), cgroups).unwrap();
    assert_eq!(read(&group, "memory.swap.max").as_deref(), Some("0"));
}

#[test]
fn a_machine_that_cannot_bind_sessions_says_why_and_opens_them_all_the_same() {
    let older = system(SERVICE, "memory pids");
    let without = system(&format!("{SERVICE}/{AGENT}"), "cpu pids");
    let first = System::at(PathBuf::from("/nowhere"));
    for (system, words) in [
        (&first, "version 2"),
        (&older.1, "systemd 254"),
        (&without.1, "the controller memory"),
    ] {
        let cgroups = Cgroups::find(system);
        let why = cgroups.hold().unwrap_err();
        assert!(why.contains(words), "{why}");
        assert_eq!(cgroups.fact()[FACT], format!("not held: {why}"));
        assert!(cgroups.group(&limits(16, 64)).unwrap().is_none());
    }
}

#[test]
fn a_limit_that_is_refused_starts_nothing_and_leaves_nothing() {
    let (_root, system, base) = delegated_to_agent();
    let cgroups = Cgroups::find(&system);
    // A directory in the place of the kernel's file cannot be written.
    let path = base.join("session-refused");
    fs::create_dir_all(path.join("pids.max")).unwrap();
    let error = Group::bind(path.clone(), &limits(16, 0), cgroups.clone()).unwrap_err();
    assert!(error.to_string().contains("pids.max"), "{error}");
    fs::remove_dir(path.join("pids.max")).unwrap();
    cgroups.sweep();
    assert!(!path.exists());
}

#[test]
fn a_group_goes_once_nothing_is_left_in_it_also_that_of_an_agent_before() {
    let (_root, system, base) = delegated_to_agent();
    fs::create_dir(base.join("session-0")).unwrap();
    let cgroups = Cgroups::find(&system);
    assert!(!base.join("session-0").exists(), "it was empty");
    // What lives on in a group keeps it, as the files that this kernel of ours cannot take away do.
    let group = cgroups.group(&limits(16, 0)).unwrap().unwrap();
    let path = group.path().to_owned();
    drop(group);
    assert!(path.exists());
    let again = Cgroups::find(&system);
    assert!(path.exists());
    let beside = again.group(&limits(16, 0)).unwrap().unwrap();
    assert_ne!(beside.path(), path, "one that is in use is nobody else's");
    fs::remove_file(path.join("pids.max")).unwrap();
    again.sweep();
    assert!(!path.exists());
}
