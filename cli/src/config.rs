//! What is kept between two runs: where the server is and the token it gave. Readable only by its owner.
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use protocol::api::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Address of the instance, without `/api` and without a final slash.
    pub api_url: String,
    /// The token, or a personal API key.
    pub token: Secret,
}

/// The file that keeps a [`Config`].
#[derive(Debug, Clone)]
pub struct ConfigFile(PathBuf);

impl ConfigFile {
    /// The file named by the caller, else the usual one in the home directory.
    pub fn locate(given: Option<PathBuf>) -> Result<Self, Error> {
        if let Some(path) = given {
            return Ok(Self(path));
        }
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = home.ok_or_else(|| Error::Argument("there is no home directory; say --config FILE".to_owned()))?;
        Ok(Self(home.join(".vsay-shell-cli").join("config.json")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The sign-in, or [`Error::SignedOut`].
    pub fn load(&self) -> Result<Config, Error> {
        let mut file = match fs::File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::SignedOut),
            Err(error) => return Err(self.problem(error)),
        };
        self.refuse_if_exposed(&file)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| self.problem(error))?;
        serde_json::from_str(&text).map_err(|error| self.problem(error))
    }

    /// As ssh has it of a key: whoever can read the token is its owner as far as the server knows.
    #[cfg(unix)]
    fn refuse_if_exposed(&self, file: &fs::File) -> Result<(), Error> {
        use std::os::unix::fs::PermissionsExt;
        let mode = file
            .metadata()
            .map_err(|error| self.problem(error))?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 == 0 {
            return Ok(());
        }
        let path = self.0.display();
        Err(self.problem(format!(
            "it holds your sign-in, and others may read it (mode {mode:04o}); run: chmod 600 {path}"
        )))
    }

    #[cfg(not(unix))]
    fn refuse_if_exposed(&self, _: &fs::File) -> Result<(), Error> {
        Ok(())
    }

    /// Replaces the sign-in. A reader sees the old one or the new one, never half of one.
    pub fn save(&self, config: &Config) -> Result<(), Error> {
        let folder = self
            .0
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        make_private(folder).map_err(|error| self.problem(error))?;
        let draft = self.0.with_extension(format!("{}.tmp", std::process::id()));
        let text = serde_json::to_string_pretty(config).map_err(|error| self.problem(error))?;
        write_private(&draft, &text)
            .and_then(|()| fs::rename(&draft, &self.0))
            .map_err(|error| {
                let _ = fs::remove_file(&draft);
                self.problem(error)
            })
    }

    /// Forgets the sign-in; whether there was one.
    pub fn clear(&self) -> Result<bool, Error> {
        match fs::remove_file(&self.0) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.problem(error)),
        }
    }

    fn problem(&self, problem: impl ToString) -> Error {
        Error::Config {
            path: self.0.clone(),
            problem: problem.to_string(),
        }
    }
}

/// Folders that are there already stay as they are.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(token: &str) -> Config {
        Config {
            api_url: "https://edge.example.com".to_owned(),
            token: token.to_owned().into(),
        }
    }

    #[test]
    fn a_sign_in_is_kept_replaced_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = ConfigFile::locate(Some(folder.path().join("new/config.json"))).unwrap();
        assert!(matches!(file.load(), Err(Error::SignedOut)));
        file.save(&sign_in("one")).unwrap();
        file.save(&sign_in("two")).unwrap();
        assert_eq!(file.load().unwrap(), sign_in("two"));
        assert_eq!(
            fs::read_dir(folder.path().join("new")).unwrap().count(),
            1,
            "no draft is left"
        );
        assert!(file.clear().unwrap());
        assert!(!file.clear().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it_whatever_was_there_before() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        ConfigFile::locate(Some(path.clone()))
            .unwrap()
            .save(&sign_in("one"))
            .unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_sign_in_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let file = ConfigFile::locate(Some(path.clone())).unwrap();
        file.save(&sign_in("one")).unwrap();
        for mode in [0o640, 0o604, 0o644, 0o660, 0o622] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = file.load().unwrap_err().to_string();
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(file.load().is_ok());
        }
    }

    #[test]
    fn a_damaged_file_is_named_and_a_token_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        write_private(&path, "not json").unwrap();
        let error = ConfigFile::locate(Some(path)).unwrap().load().unwrap_err().to_string();
        assert!(error.contains("config.json"), "{error}");
        assert!(!format!("{:?}", sign_in("secret")).contains("secret"));
    }
}
