//! What others install: static programs, in archives with a checksum and a signature. The signatures are verified by another
//! implementation than the one that makes them.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use minisign_verify::{PublicKey, Signature};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{program, root};

/// Of a program header (ELF): names the loader of shared libraries, which a static program has none of.
const PT_INTERP: u32 = 3;

/// What `scripts/dist.sh --here` makes, signed by a key of its own if `key` is a path.
async fn packed(key: Option<&Path>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(root().join("scripts/dist.sh"));
    command.arg("--here").env("DIST", folder.path());
    match key {
        Some(key) => command.env("VSAY_SIGNING_KEY", key),
        None => command.env_remove("VSAY_SIGNING_KEY"),
    };
    let output = command.output().await.expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// The archives for this machine, each with the static program in it, and what else it has.
fn archives() -> [(String, PathBuf, Vec<PathBuf>); 2] {
    let processor = std::env::consts::ARCH;
    let agent = program("VSAY_AGENT_BIN", "vsay-agent");
    let helper = agent.with_file_name("vsay-pam");
    [
        (
            format!("agent/download/vsay-agent-{processor}.tar.gz"),
            agent,
            vec![helper],
        ),
        (
            format!("cli/download/vsay-linux-{processor}.tar.gz"),
            program("VSAY_BIN", "vsay"),
            Vec::new(),
        ),
    ]
}

/// A file's name.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn an_archive_is_what_its_checksum_and_its_signature_say_and_no_other_is() {
    let dist = packed(None).await;
    let key = PublicKey::decode(&text(dist.path().join("vsay.pub"))).expect("a public key of minisign");
    for (archive, ..) in archives() {
        let path = dist.path().join(&archive);
        let name = name(&path);
        let mut content = fs::read(&path).expect(&archive);
        let checksum = format!("{}  {name}\n", hex::encode(Sha256::digest(&content)));
        assert_eq!(text(format!("{}.sha256", path.display())), checksum);

        let signature = text(format!("{}.minisig", path.display()));
        let of_hash = Signature::decode(&signature).expect("a signature of minisign");
        // The older form, which signs the content itself, is refused.
        key.verify(&content, &of_hash, false).expect(name);
        let said = of_hash.trusted_comment();
        assert!(said.ends_with(&format!("\tfile:{name}\thashed")), "{said}");

        // What is trusted of the comment is signed, too.
        let renamed = signature.replace(&format!("file:{name}"), "file:another.tar.gz");
        let renamed = Signature::decode(&renamed).expect("still a signature");
        assert!(
            key.verify(&content, &renamed, false).is_err(),
            "the comment was changed"
        );
        *content.last_mut().expect("no empty archive") ^= 1;
        assert!(
            key.verify(&content, &of_hash, false).is_err(),
            "the archive was changed"
        );
    }
}

#[tokio::test]
async fn what_another_key_signed_is_not_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let another = folder.path().join("another.key");
    let public = folder.path().join("another.pub");
    let made = Command::new(root().join("node_modules/.bin/node"))
        .arg(root().join("scripts/sign.mjs"))
        .arg("--make")
        .args([Path::new("--key"), &another, Path::new("--public"), &public])
        .output()
        .await
        .expect("node runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let [ours, theirs] = [packed(None).await, packed(Some(&another)).await];
    let [our_key, their_key] = [&ours, &theirs].map(|dist| text(dist.path().join("vsay.pub")));
    assert_eq!(text(&public), their_key);
    assert_ne!(our_key, their_key);
    for (archive, ..) in archives() {
        let content = fs::read(ours.path().join(&archive)).expect(&archive);
        // The same programs make the same archive, whenever they are packed.
        assert_eq!(fs::read(theirs.path().join(&archive)).expect(&archive), content);
        let signature = Signature::decode(&text(theirs.path().join(format!("{archive}.minisig")))).unwrap();
        let verify = |key: &str| PublicKey::decode(key).unwrap().verify(&content, &signature, false);
        verify(&their_key).expect("it is theirs");
        assert!(verify(&our_key).is_err(), "{archive}");
    }
}

#[tokio::test]
async fn an_archive_has_its_programs_and_their_license_and_nothing_else() {
    let dist = packed(None).await;
    for (archive, main, others) in archives() {
        let folder = tempfile::tempdir().expect("a folder");
        let unpacked = Command::new("tar")
            .args(["-xvzf", dist.path().join(&archive).to_str().unwrap(), "-C"])
            .arg(folder.path())
            .output()
            .await
            .expect("tar runs");
        let mut expected = "LICENSE\n".to_owned();
        for built in [&main].into_iter().chain(&others) {
            let name = name(built);
            expected += &format!("{name}\n");
            let packed = fs::read(folder.path().join(name)).expect(name);
            assert!(packed == fs::read(built).expect(name), "{name}");
        }
        assert_eq!(String::from_utf8_lossy(&unpacked.stdout), expected);
        let license = fs::read(root().join("LICENSE")).unwrap();
        assert!(fs::read(folder.path().join("LICENSE")).unwrap() == license);
        let name = name(&main);
        let version = Command::new(folder.path().join(name)).arg("--version").output().await;
        let version = String::from_utf8(version.expect("it may be run").stdout).unwrap();
        assert_eq!(version, format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
    }
    let files = Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(dist.path())
        .output();
    let files = String::from_utf8(files.await.expect("find runs").stdout).unwrap();
    let files: BTreeSet<&str> = files.lines().map(|file| file.trim_start_matches("./")).collect();
    let expected: Vec<String> = archives()
        .iter()
        .flat_map(|(archive, ..)| ["", ".minisig", ".sha256"].map(|end| format!("{archive}{end}")))
        .chain(["vsay.pub".to_owned()])
        .collect();
    assert_eq!(files, expected.iter().map(String::as_str).collect());
}

#[test]
fn programs_need_no_library_of_the_system() {
    for (_, main, _) in archives() {
        let (name, elf) = (name(&main), fs::read(&main).unwrap());
        let number = |at: usize, bytes: usize| {
            let mut value = [0; 8];
            value[..bytes].copy_from_slice(&elf[at..at + bytes]);
            u64::from_le_bytes(value)
        };
        assert_eq!(elf[..5], *b"\x7fELF\x02", "{name} is a program of 64 bits");
        // Where its program headers are, how long each is, how many.
        let (headers, length, count) = (number(32, 8), number(54, 2), number(56, 2));
        assert!(count > 0, "{name}");
        let kinds: Vec<u64> = (0..count).map(|n| number((headers + n * length) as usize, 4)).collect();
        assert!(
            !kinds.contains(&PT_INTERP.into()),
            "{name} wants a loader of libraries: {kinds:?}"
        );
    }
}

/// Whoever builds them has a home of their own, and a checkout somewhere in it.
#[test]
fn programs_say_nothing_of_where_they_were_built() {
    let home = |variable, below: &str| {
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(below));
        std::env::var_os(variable).map(PathBuf::from).or(home)
    };
    let cargo = home("CARGO_HOME", ".cargo").expect("Cargo has a home");
    let rustup = home("RUSTUP_HOME", ".rustup").expect("rustup has a home");
    for (_, main, others) in archives() {
        for program in [main].into_iter().chain(others) {
            let bytes = fs::read(&program).unwrap();
            for place in [&cargo, &rustup, &root()] {
                let place = place.to_str().expect("a path of letters").as_bytes();
                let found = bytes.windows(place.len()).position(|at| at == place);
                let around =
                    found.map(|at| String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 200)]).into_owned());
                assert_eq!(around, None, "{}", program.display());
            }
        }
    }
}
