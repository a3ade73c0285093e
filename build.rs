//! Tells the Worker which schema it was written for: the name of the newest migration.
use std::io::{Error, Result};

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=migrations");
    let mut newest = String::new();
    for entry in std::fs::read_dir("migrations")? {
        let name = entry?
            .file_name()
            .into_string()
            .map_err(|_| Error::other("a migration's name is no text"))?;
        if name.ends_with(".sql") && name > newest {
            newest = name;
        }
    }
    println!("cargo::rustc-env=NEWEST_MIGRATION={newest}");
    Ok(())
}
