//! Commands as people type them, for a log that is large: some of a few words, most with names and paths, each of the latter
//! with a number that no other has.
use std::fmt::Write;

/// What is typed, the more often the more often it stands here. `{…}` is replaced by one of the words of that kind.
const FORMS: &[&str] = &[
    "ls -la {path}",
    "ls",
    "cd {path}",
    "cd {path} && ls -l --sort=time",
    "git status",
    "git pull --rebase origin main",
    "git log --oneline -n 20 -- {path}",
    "git commit -m 'Fix the {word} of {service}'",
    "git checkout -b fix/{service}-{word}-{number}",
    "systemctl status {service}",
    "sudo systemctl restart {service}",
    "journalctl -u {service} --since '30 minutes ago' --no-pager",
    "journalctl -u {service} | grep {number}",
    "docker compose -f {path}/compose.yml up -d {service}",
    "docker logs --tail 200 {service}-{number}",
    "kubectl -n {service} get pods -o wide",
    "kubectl -n {service} describe pod {service}-{number}",
    "kubectl rollout restart deployment/{service}",
    "tail -n 100 -f /var/log/{service}/error.log",
    "grep -rn \"{word}\" {path} --include='*.rs'",
    "zgrep {number} /var/log/{service}/access.log.*.gz | wc -l",
    "curl -fsS https://{service}.internal.example.com/{word}?id={number}",
    "ssh deploy@{service}.internal.example.com",
    "psql -h {service}.internal.example.com -c 'SELECT count(*) FROM {word}'",
    "psql -c \"SELECT * FROM {word} WHERE request_id = '{number}'\"",
    "rsync -av --delete {path}/ backup:{path}/{number}/",
    "vim {path}/{service}.conf",
    "cat {path}/{word}-{number}.json | jq .",
    "make test",
    "cargo test -p {service} {word}",
    "npm run build",
    "sudo apt-get install -y {service}",
    "df -h",
    "ps aux | grep {service}",
    "tar xzf {service}-{number}.tar.gz -C {path}",
    "for f in {path}/*.log; do gzip \"$f\"; done",
];

const PATHS: &[&str] = &[
    "/etc",
    "/srv/app",
    "/srv/app/current",
    "/var/lib",
    "/var/log",
    "/opt/tools",
    "/home/deploy",
    "~/src/api",
    "~/src/web",
    "/mnt/backup",
    "/usr/local/share",
    "/tmp/build",
];

const SERVICES: &[&str] = &[
    "nginx",
    "postgresql",
    "redis",
    "gateway",
    "billing",
    "mailer",
    "scheduler",
    "search",
    "sessions",
    "metrics",
    "grafana",
    "haproxy",
    "frontend",
    "accounts",
    "worker",
    "importer",
];

const WORDS: &[&str] = &[
    "orders",
    "users",
    "timeout",
    "invoices",
    "retries",
    "cache",
    "events",
    "payments",
    "health",
    "queue",
    "limits",
    "tokens",
    "migration",
    "uploads",
    "shipments",
    "reports",
];

/// What many commands have in them: `git` in one of seven.
pub const COMMON: &str = "git";

/// What the index does not know, and many commands have in them.
pub const SHORT: &str = "ls";

/// What no command has in it, and parts of it neither.
pub const ABSENT: &str = "qqzxj";

/// What no command has in it, of parts that many have.
pub const ABSENT_OF_COMMON: &str = "git status nginx";

/// The number that the commands of one row have in them, and those of no other.
pub fn number(row: u64) -> String {
    // Multiplying by an odd number takes each of 32 bits to another.
    format!("{:08x}", (row as u32).wrapping_mul(0x9e37_79b1))
}

/// Whether a row's command has its number in it.
pub fn has_number(row: u64) -> bool {
    form(row).contains("{number}")
}

/// The command of a row.
pub fn command(row: u64) -> String {
    let mut rest = form(row);
    let mut command = String::with_capacity(64);
    let mut chance = mix(row ^ 0x5bd1_e995);
    while let Some((before, (kind, after))) = rest
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        command.push_str(before);
        chance = mix(chance);
        match kind {
            "path" => command.push_str(one_of(PATHS, chance)),
            "service" => command.push_str(one_of(SERVICES, chance)),
            "word" => command.push_str(one_of(WORDS, chance)),
            "number" => command.push_str(&number(row)),
            other => write!(command, "{{{other}}}").expect("a string takes everything"),
        }
        rest = after;
    }
    command.push_str(rest);
    command
}

fn form(row: u64) -> &'static str {
    one_of(FORMS, mix(row))
}

fn one_of(words: &[&'static str], chance: u64) -> &'static str {
    words[(chance % words.len() as u64) as usize]
}

/// Spreads numbers that are alike (the finalizer of MurmurHash3).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_what_they_are_looked_up_by() {
        let commands: Vec<String> = (0..20_000).map(command).collect();
        let with = |text: &str| commands.iter().filter(|command| command.contains(text)).count();
        assert!((2_000..4_000).contains(&with(COMMON)), "{}", with(COMMON));
        assert!(with(SHORT) > 1_000, "{}", with(SHORT));
        assert_eq!(with(ABSENT) + with(ABSENT_OF_COMMON), 0);
        for part in ["git", "status", "nginx"] {
            assert!(with(part) > 500, "{part}");
        }
        let row = (19_000..).find(|row| has_number(*row)).unwrap();
        assert_eq!(with(&number(row)), 1);
        assert_eq!(with("{"), 0);
    }
}
