//! The service, where OpenRC runs.
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::background::SYSTEM_LOG;
use super::{Service, ServiceError, environment, run};

/// Ours, where an administrator's scripts are.
pub const SCRIPT: &str = "/etc/init.d/vsay-agent";

const NAME: &str = "vsay-agent";

/// Exists while OpenRC has a runlevel that it keeps services by.
const RUNNING: &str = "/run/openrc/softlevel";

/// Whether OpenRC runs this system.
pub fn is_running() -> bool {
    Path::new(RUNNING).is_file()
}

/// Installs the service, has it started at boot, and starts it anew now.
pub fn install(service: &Service<'_>) -> Result<(), ServiceError> {
    let path = Path::new(SCRIPT);
    fs::write(path, script(service))
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)))
        .map_err(|error| ServiceError::file(path, error))?;
    run("rc-update", &["add", NAME, "default"])?;
    restart()
}

pub fn restart() -> Result<(), ServiceError> {
    run("rc-service", &[NAME, "restart"])
}

/// Stops the service and no longer has it started.
pub fn stop() {
    // Each fails where there is nothing to do.
    let _ = run("rc-service", &[NAME, "stop"]);
    let _ = run("rc-update", &["del", NAME, "default"]);
}

fn script(service: &Service<'_>) -> String {
    format!(
        "#!/sbin/openrc-run\n\
         # Written by vsay-agent configure, which replaces it when it is run again.\n\
         \n\
         description=\"VSAY agent\"\n\
         supervisor=supervise-daemon\n\
         command={program}\n\
         command_args_foreground={arguments}\n\
         # Never give up: a machine that cannot be reached cannot be repaired from afar.\n\
         respawn_delay=10\n\
         respawn_max=0\n\
         # Longer than the agent gives its shells to end.\n\
         retry=TERM/15/KILL/5\n\
         output_log={SYSTEM_LOG}\n\
         error_log={SYSTEM_LOG}\n\
         \n\
         depend() {{\n\
         \tuse net dns\n\
         \tafter firewall\n\
         }}\n\
         \n\
         start_pre() {{\n\
         \t# Proxies and certificates, as they were when this machine was configured.\n\
         \tif [ -r {environment} ]; then\n\
         \t\tset -a\n\
         \t\t. {environment}\n\
         \t\tset +a\n\
         \tfi\n\
         }}\n",
        program = quote(&service.program.display().to_string()),
        // Words of a command line within a word: OpenRC takes it apart again.
        arguments = quote(&format!(
            "start --config {}",
            quote(&service.config.display().to_string())
        )),
        environment = quote(&environment::file_of(service.config).display().to_string()),
    )
}

/// A text as one word for a shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_the_script_as_it_is_meant_whatever_the_paths_are() {
        for path in ["/etc/vsay/agent.yaml", "/opt/my agent's/$x/`id`/agent.yaml"] {
            let service = Service {
                program: Path::new("/usr/local/bin/vsay-agent"),
                config: Path::new(path),
                allow_sudo: false,
            };
            // As OpenRC does: the script, then its words.
            let probe = format!(
                "{}\neval \"set -- $command $command_args_foreground\"; printf '%s|' \"$@\"",
                script(&service)
            );
            let output = Command::new("sh").args(["-c", &probe]).output().unwrap();
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                format!("/usr/local/bin/vsay-agent|start|--config|{path}|")
            );
        }
    }
}
