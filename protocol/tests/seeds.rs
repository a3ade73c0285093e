//! Runs every committed fuzzing seed, and every sample of the message it decodes, through its target. What the fuzzer once
//! found stays found.
use std::path::{Path, PathBuf};

#[path = "../fuzz/src/lib.rs"]
mod targets;

fn files(folder: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map_or_else(
        |_| Vec::new(),
        |entries| entries.map(|entry| entry.unwrap().path()).collect(),
    )
}

#[test]
fn every_seed_passes_its_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, target) in targets::TARGETS {
        let seeds = files(root.join("fuzz/corpus").join(name));
        assert!(!seeds.is_empty(), "{name} has seeds");
        for seed in seeds.into_iter().chain(files(root.join("fixtures").join(name))) {
            println!("{name}: {}", seed.display());
            target(&std::fs::read(seed).unwrap());
        }
    }
}

#[test]
fn every_corpus_folder_and_every_fuzz_target_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut listed: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    for folder in ["corpus", "fuzz_targets"] {
        let mut found: Vec<String> = files(root.join(folder))
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        found.sort_unstable();
        assert_eq!(found, listed, "{folder}");
    }
}
