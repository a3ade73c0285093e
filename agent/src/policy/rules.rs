//! What the lists say of programs. Nothing here looks at the machine.
use protocol::api::command_policy::{CommandPolicy, Policies};

use super::Verdict;
use super::programs::ANYTHING;

/// Longest name of a program that is repeated in a reason, in characters.
const MAX_SHOWN: usize = 64;

/// A program that a command could run, and the file that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Its own name, without directories.
    pub name: String,
    /// Its path, where it has one.
    pub path: Option<String>,
    /// Names and paths of the links that it is, one behind the other.
    pub links: Vec<String>,
    /// What of it is to be told, if it runs whatever a text says that cannot be read: then it has to be named to run.
    pub opaque: Option<String>,
    /// Whether the shell does it itself, and can do no harm by it that a redirection could not. It need not be named to run.
    pub harmless: bool,
}

impl Named {
    /// Whether an entry is this program as it was called.
    fn is(&self, entry: &str) -> bool {
        entry == self.name || self.path.as_deref() == Some(entry)
    }

    /// Whether an entry is this program under any of its names.
    fn is_also(&self, entry: &str) -> bool {
        self.is(entry) || self.links.iter().any(|link| link == entry)
    }
}

/// What the policies say of all programs of a command. A refusal counts before the wish for an approval, whichever list it is from.
pub fn decide(programs: &[Named], policies: &Policies) -> Verdict {
    let mut approval = None;
    for (policy, whose) in both(policies) {
        for program in programs {
            match of_program(program, policy, whose) {
                Verdict::Allowed => {}
                Verdict::NeedsApproval(why) => approval = approval.or(Some(why)),
                refused @ Verdict::Refused(_) => return refused,
            }
        }
    }
    approval.map_or(Verdict::Allowed, Verdict::NeedsApproval)
}

/// What they say of a text that cannot be read.
pub fn unreadable(why: &str, policies: &Policies) -> Verdict {
    let anything = Named {
        name: ANYTHING.to_owned(),
        opaque: Some(why.to_owned()),
        ..Named::default()
    };
    decide(&[anything], policies)
}

/// The policies that say something, and whose they are.
fn both(policies: &Policies) -> impl Iterator<Item = (&CommandPolicy, &'static str)> {
    [(&policies.organization, "organization"), (&policies.machine, "machine")]
        .into_iter()
        .filter(|(policy, _)| !policy.is_empty())
}

fn of_program(program: &Named, policy: &CommandPolicy, whose: &str) -> Verdict {
    let shown = shown(&program.name);
    if let Some(entry) = policy.blocked_commands.iter().find(|entry| program.is_also(entry)) {
        let entry = entry_of(entry, &program.name);
        return Verdict::Refused(format!(
            "{shown} must not run: blocked_commands of the {whose} has {entry}"
        ));
    }
    let approval = policy
        .approval_required_commands
        .iter()
        .find(|entry| program.is_also(entry));
    let allowed = policy.allowed_commands.iter().any(|entry| program.is(entry));
    match (&program.opaque, approval) {
        (Some(what), None) if !allowed => Verdict::Refused(format!(
            "{what}: what that runs cannot be told before it does. Of the {whose}, approval_required_commands would have to have {shown}, or \
             allowed_commands, which then has to have all that may run"
        )),
        (None, None) if !allowed && !program.harmless && !policy.allowed_commands.is_empty() => Verdict::Refused(
            format!("{shown} must not run: allowed_commands of the {whose} does not have it"),
        ),
        (_, Some(_)) if !allowed && !policy.allowed_commands.is_empty() && !program.harmless => Verdict::Refused(
            format!("{shown} must not run: allowed_commands of the {whose} does not have it"),
        ),
        (_, Some(entry)) => {
            let entry = entry_of(entry, &program.name);
            Verdict::NeedsApproval(format!(
                "{shown} needs approval: approval_required_commands of the {whose} has {entry}"
            ))
        }
        (_, None) => Verdict::Allowed,
    }
}

fn entry_of(entry: &str, name: &str) -> String {
    if entry == name {
        "it".to_owned()
    } else {
        entry.to_owned()
    }
}

/// A name as it may stand in a log: one that is plainly a program's. Any other may be something that nobody meant to tell.
fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-[:".contains(c);
    if (1..=MAX_SHOWN).contains(&name.len()) && name.chars().all(plain) {
        name.to_owned()
    } else {
        "a program".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str) -> Named {
        Named {
            name: name.to_owned(),
            path: Some(format!("/usr/bin/{name}")),
            ..Named::default()
        }
    }

    fn opaque(name: &str) -> Named {
        Named {
            opaque: Some(format!("{name} -c")),
            ..named(name)
        }
    }

    fn policy(allowed: &[&str], blocked: &[&str], approval: &[&str]) -> CommandPolicy {
        let list = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
        CommandPolicy {
            allowed_commands: list(allowed),
            blocked_commands: list(blocked),
            approval_required_commands: list(approval),
        }
    }

    /// `a`llowed, `r`efused, or `w`aiting for approval.
    fn letter(programs: &[Named], organization: CommandPolicy, machine: CommandPolicy) -> char {
        match decide(programs, &Policies { organization, machine }) {
            Verdict::Allowed => 'a',
            Verdict::Refused(_) => 'r',
            Verdict::NeedsApproval(_) => 'w',
        }
    }

    #[test]
    fn lists_are_read_one_behind_the_other() {
        let (none, rm) = (CommandPolicy::default(), [named("ls"), named("rm")]);
        for (expected, policy) in [
            ('a', policy(&[], &[], &[])),
            ('r', policy(&[], &["rm"], &[])),
            ('r', policy(&[], &["/usr/bin/rm"], &[])),
            ('a', policy(&[], &["/bin/rm"], &[])),
            ('a', policy(&[], &["cp"], &[])),
            ('r', policy(&["ls"], &[], &[])),
            ('a', policy(&["ls", "rm"], &[], &[])),
            ('a', policy(&["ls", "/usr/bin/rm"], &[], &[])),
            ('r', policy(&["ls", "rm"], &["rm"], &[])),
            ('w', policy(&[], &[], &["rm"])),
            ('w', policy(&["ls", "rm"], &[], &["rm"])),
            ('r', policy(&["ls"], &[], &["rm"])),
            ('r', policy(&[], &["ls"], &["rm"])),
        ] {
            assert_eq!(letter(&rm, policy.clone(), none.clone()), expected, "{policy:?}");
            assert_eq!(letter(&rm, none.clone(), policy.clone()), expected, "{policy:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_has_to_be_named() {
        let bash = [opaque("bash")];
        for (expected, policy) in [
            ('a', policy(&[], &[], &[])),
            ('r', policy(&[], &["rm"], &[])),
            ('r', policy(&["ls"], &[], &[])),
            ('a', policy(&["bash"], &["rm"], &[])),
            ('a', policy(&["/usr/bin/bash"], &[], &[])),
            ('r', policy(&["bash"], &["bash"], &[])),
            ('w', policy(&[], &["rm"], &["bash"])),
        ] {
            assert_eq!(
                letter(&bash, policy.clone(), CommandPolicy::default()),
                expected,
                "{policy:?}"
            );
        }
    }

    #[test]
    fn a_link_is_blocked_by_what_it_leads_to_and_allowed_by_its_own_name_only() {
        let tool = Named {
            links: vec!["rm".to_owned(), "/usr/bin/rm".to_owned()],
            ..named("tool")
        };
        for (expected, policy) in [
            ('r', policy(&[], &["rm"], &[])),
            ('r', policy(&[], &["/usr/bin/rm"], &[])),
            ('w', policy(&[], &[], &["rm"])),
            ('r', policy(&["rm"], &[], &[])),
            ('a', policy(&["tool"], &[], &[])),
        ] {
            assert_eq!(
                letter(std::slice::from_ref(&tool), policy.clone(), CommandPolicy::default()),
                expected,
                "{policy:?}"
            );
        }
    }

    #[test]
    fn what_the_shell_does_itself_need_not_be_named_but_can_be_blocked() {
        let echo = Named {
            harmless: true,
            ..named("echo")
        };
        assert_eq!(
            letter(
                std::slice::from_ref(&echo),
                policy(&["ls"], &[], &[]),
                CommandPolicy::default()
            ),
            'a'
        );
        assert_eq!(
            letter(&[echo], policy(&[], &["echo"], &[]), CommandPolicy::default()),
            'r'
        );
    }

    #[test]
    fn the_reason_says_which_program_and_which_list_and_nothing_that_may_be_a_secret() {
        let reason = |name: &str, policy| match decide(
            &[named(name)],
            &Policies {
                machine: policy,
                ..Policies::default()
            },
        ) {
            Verdict::Refused(why) | Verdict::NeedsApproval(why) => why,
            Verdict::Allowed => String::new(),
        };
        assert_eq!(
            reason("rm", policy(&[], &["rm"], &[])),
            "rm must not run: blocked_commands of the machine has it"
        );
        assert_eq!(
            reason("rm", policy(&[], &[], &["/usr/bin/rm"])),
            "rm needs approval: approval_required_commands of the machine has /usr/bin/rm"
        );
        assert!(!reason("pass word", policy(&["ls"], &[], &[])).contains("pass"));
    }

    const NAMES: [&str; 4] = ["ls", "rm", "bash", "systemctl"];

    fn lists() -> impl Strategy<Value = CommandPolicy> {
        let list = || proptest::collection::vec(proptest::sample::select(&NAMES[..]), 0..3);
        (list(), list(), list()).prop_map(|(allowed, blocked, approval)| policy(&allowed, &blocked, &approval))
    }

    fn rank(letter: char) -> usize {
        "awr".find(letter).unwrap()
    }

    proptest! {
        #[test]
        fn a_machine_narrows_what_its_organization_says_and_takes_nothing_from_it(
            used in proptest::collection::vec(0..NAMES.len(), 0..4),
            organization in lists(),
            machine in lists(),
        ) {
            let programs: Vec<_> = used.iter().map(|at| match NAMES[*at] {
                "bash" => opaque("bash"),
                name => named(name),
            }).collect();
            let alone = letter(&programs, organization.clone(), CommandPolicy::default());
            let own = letter(&programs, CommandPolicy::default(), machine.clone());
            let together = letter(&programs, organization, machine);
            prop_assert_eq!(rank(together), rank(alone).max(rank(own)));
        }

        #[test]
        fn one_program_more_never_makes_a_command_run(
            used in proptest::collection::vec(0..NAMES.len(), 1..5),
            policy in lists(),
        ) {
            let programs: Vec<_> = used.iter().map(|at| named(NAMES[*at])).collect();
            let some = letter(&programs[1..], policy.clone(), CommandPolicy::default());
            let all = letter(&programs, policy, CommandPolicy::default());
            prop_assert!(rank(all) >= rank(some));
        }
    }
}
