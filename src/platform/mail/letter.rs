//! What we write to people: short, friendly, and in one place. How it looks is `render.rs`.
use chrono::TimeDelta;
use protocol::api::secret::Secret;

use crate::platform::brand::NAME;

/// Longest name of a person or an organization in a letter, in characters: a name is no place for a letter of its own.
const MAX_NAME: usize = 80;

/// Longest reason that somebody gives, in characters: the rest is on the page that the letter leads to.
const MAX_REASON: usize = 300;

/// Longest text of an alert, in characters: a few sentences with the beginning of a command in them.
const MAX_ALERT: usize = 1000;

/// Most names in one list; the rest is counted.
const MAX_LISTED: usize = 50;

/// The secret part of a link, and for how long it works.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Its last path segment: letters and digits.
    pub token: &'a Secret,
    /// From now.
    pub lasts: TimeDelta,
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The name of the machine.
    pub machine: &'a str,
    /// Its public name: letters and digits.
    pub agent_id: &'a str,
    /// From the approval on; 0 has no end.
    pub hours: u32,
    /// Whether with privileges.
    pub sudo: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub enum Decision<'a> {
    Approved,
    Rejected {
        /// Why.
        comment: &'a str,
    },
    /// It had been approved.
    Revoked,
}

/// A letter and what it tells of.
#[derive(Debug, Clone, Copy)]
pub enum Letter<'a> {
    /// To a new account, and to prove that the address is its owner's.
    Welcome {
        username: &'a str,
        /// Proves the address.
        link: Link<'a>,
    },
    /// The code of a sign-in.
    SignInCode {
        /// Who signs in.
        username: &'a str,
        /// The digits.
        code: &'a Secret,
        /// How long it works.
        lasts: TimeDelta,
    },
    /// To somebody who is invited.
    Invitation {
        inviter: &'a str,
        /// The name of the organization.
        organization: &'a str,
        /// Accepts.
        link: Link<'a>,
    },
    /// To somebody who forgot the password, or says so.
    PasswordReset {
        username: &'a str,
        /// Sets a new one.
        link: Link<'a>,
    },
    /// To somebody for whom an administrator made an account.
    AccountMade {
        username: &'a str,
        /// The name of the organization.
        organization: &'a str,
        /// Sets the first password.
        link: Link<'a>,
    },
    /// To somebody whose account has long been unused.
    InactivityWarning {
        username: &'a str,
        /// The name of the organization.
        organization: &'a str,
        /// Days until it is disabled, at least 1.
        days_left: i64,
    },
    /// To somebody whose account was disabled because it was not used.
    Deactivated {
        username: &'a str,
        /// The name of the organization.
        organization: &'a str,
        /// Days it was not used.
        days: i64,
    },
    /// The same, to an administrator.
    DeactivatedUsers {
        usernames: &'a [String],
        /// The name of the organization.
        organization: &'a str,
        /// Days they were not used.
        days: i64,
    },
    /// To those who decide who may use a machine.
    AccessAsked {
        /// Who asks.
        requester: &'a str,
        wish: Wish<'a>,
        /// Why; may be empty.
        note: &'a str,
    },
    /// To whoever asked for a machine.
    AccessDecided {
        username: &'a str,
        wish: Wish<'a>,
        decision: Decision<'a>,
    },
    /// To somebody whom a rule tells of something, or who must know that a webhook was switched off.
    Alert {
        /// In a line.
        summary: &'a str,
        /// A sentence or two.
        text: &'a str,
    },
    /// To those who decide what commands run.
    CommandAwaits {
        /// Who sent it.
        sender: &'a str,
        /// The name of the machine.
        machine: &'a str,
        /// Which program it is about, and which rule.
        why: &'a str,
    },
    /// After a change of the password.
    PasswordChanged { username: &'a str },
    /// After somebody else took the second factor off the account.
    SecondFactorReset { username: &'a str },
}

/// A letter's words, before they are text or HTML. [`NAME`] stands in them for how the product is called.
#[derive(Debug, PartialEq, Eq)]
pub struct Content {
    /// One line.
    pub subject: String,
    /// What it says, from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Text(String),
    /// Something to follow.
    Link {
        /// What it does.
        label: &'static str,
        /// Where it leads.
        url: String,
    },
    /// Something to type.
    Code(String),
}

impl Letter<'_> {
    /// What kind of letter it is, for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::SignInCode { .. } => "sign-in code",
            Self::Invitation { .. } => "invitation",
            Self::PasswordReset { .. } => "password reset",
            Self::AccountMade { .. } => "account made",
            Self::InactivityWarning { .. } => "inactivity warning",
            Self::Deactivated { .. } => "deactivated",
            Self::DeactivatedUsers { .. } => "deactivated users",
            Self::AccessAsked { .. } => "access asked",
            Self::AccessDecided { .. } => "access decided",
            Self::Alert { .. } => "alert",
            Self::CommandAwaits { .. } => "command awaits approval",
            Self::PasswordChanged { .. } => "password changed",
            Self::SecondFactorReset { .. } => "second factor reset",
        }
    }

    /// Its words, with links that begin with `base_url`.
    pub fn content(&self, base_url: &str) -> Content {
        let page = |path: &str, link: &Link| format!("{base_url}/{path}/{}", link.token.expose());
        match self {
            Self::Welcome { username, link } => letter(
                &format!("Welcome to {NAME}"),
                vec![
                    text(format!("Hello {},", shown(username))),
                    text("your account is ready. Please confirm that this is your address:"),
                    follow("Confirm my address", page("verify-email", link)),
                    text(format!(
                        "The link works for {}. If you did not sign up, you can ignore this mail.",
                        span(link.lasts)
                    )),
                ],
            ),
            Self::SignInCode { username, code, lasts } => letter(
                "Your sign-in code",
                vec![
                    text(format!("Hello {},", shown(username))),
                    text("this is your code to sign in:"),
                    Block::Code(code.expose().to_owned()),
                    text(format!(
                        "It works for {} and only once. If you are not signing in right now, somebody else knows your password: change it.",
                        span(*lasts)
                    )),
                ],
            ),
            Self::Invitation {
                inviter,
                organization,
                link,
            } => letter(
                &format!("{} invites you to {NAME}", shown(inviter)),
                vec![
                    text("Hello,"),
                    text(format!(
                        "{} invites you to join {} on {NAME}, where the team reaches its machines.",
                        shown(inviter),
                        shown(organization)
                    )),
                    follow("Accept the invitation", page("accept-invite", link)),
                    text(format!(
                        "The invitation is good for {}. If you do not know who sent it, you can ignore this mail.",
                        span(link.lasts)
                    )),
                ],
            ),
            Self::PasswordReset { username, link } => letter(
                "Reset your password",
                vec![
                    text(format!("Hello {},", shown(username))),
                    text("somebody, we hope you, asked to reset the password of your account:"),
                    follow("Choose a new password", page("reset-password", link)),
                    text(format!(
                        "The link works for {} and only once. If it was not you, ignore this mail: your password stays as it is.",
                        span(link.lasts)
                    )),
                ],
            ),
            Self::AccountMade {
                username,
                organization,
                link,
            } => letter(
                &format!("Your {NAME} account"),
                vec![
                    text("Hello,"),
                    text(format!(
                        "an administrator of {} made an account for you. Your username is {}.",
                        shown(organization),
                        shown(username)
                    )),
                    text("Choose a password to begin:"),
                    follow("Choose a password", page("reset-password", link)),
                    text(format!(
                        "The link works for {}. After that, ask for a new one with \"Forgot password\" on the sign-in page.",
                        span(link.lasts)
                    )),
                ],
            ),
            Self::InactivityWarning {
                username,
                organization,
                days_left,
            } => letter(
                &format!("Your account will be disabled in {}", days(*days_left)),
                vec![
                    text(format!("Hello {},", shown(username))),
                    text(format!(
                        "you have not used your account at {} for a while. It will be disabled in {}, unless you sign in before.",
                        shown(organization),
                        days(*days_left)
                    )),
                    follow("Sign in", base_url.to_owned()),
                    text("If you no longer need it, there is nothing to do."),
                ],
            ),
            Self::Deactivated {
                username,
                organization,
                days: unused,
            } => letter(
                "Your account was disabled",
                vec![
                    text(format!("Hello {},", shown(username))),
                    text(format!(
                        "your account at {} was not used for {} and is disabled now. Nothing of yours was deleted.",
                        shown(organization),
                        days(*unused)
                    )),
                    text("An administrator of your organization can enable it again at any time."),
                ],
            ),
            Self::DeactivatedUsers {
                usernames,
                organization,
                days: unused,
            } => letter(
                "Unused accounts were disabled",
                vec![
                    text("Hello,"),
                    text(format!(
                        "these accounts at {} were not used for {} and are disabled now:",
                        shown(organization),
                        days(*unused)
                    )),
                    text(list(usernames)),
                    text("You can enable them again among the users of your organization:"),
                    follow("Open \u{1a}", base_url.to_owned()),
                ],
            ),
            Self::AccessAsked { requester, wish, note } => letter(
                &format!("{} asks for {}", shown(requester), shown(wish.machine)),
                [
                    vec![
                        text("Hello,"),
                        text(format!(
                            "{} asks to use the machine {} {}.",
                            shown(requester),
                            shown(wish.machine),
                            wished(wish)
                        )),
                    ],
                    reason(note),
                    vec![follow("Decide", format!("{base_url}/requests"))],
                ]
                .concat(),
            ),
            Self::AccessDecided {
                username,
                wish,
                decision,
            } => decided(username, wish, decision, base_url),
            Self::Alert { summary, text: words } => letter(
                &on_one_line(summary, MAX_REASON),
                vec![
                    text("Hello,"),
                    text(on_one_line(words, MAX_ALERT)),
                    follow("Open the alerts", format!("{base_url}/admin/alerts")),
                ],
            ),
            Self::CommandAwaits { sender, machine, why } => letter(
                &format!("A command of {} waits for approval", shown(sender)),
                vec![
                    text("Hello,"),
                    text(format!(
                        "{} sent a command to {} that an administrator has to approve before it runs.",
                        shown(sender),
                        shown(machine)
                    )),
                    text(format!("The machine says: {}", on_one_line(why, MAX_REASON))),
                    text("It waits for a day. What it would run, the page says:"),
                    follow("Decide", format!("{base_url}/commands?status=awaiting_approval")),
                ],
            ),
            Self::PasswordChanged { username } => letter(
                "Your password was changed",
                vec![
                    text(format!("Hello {},", shown(username))),
                    text(
                        "the password of your account was just changed, and everybody who was signed in was signed out.",
                    ),
                    text(
                        "If it was not you, choose a new password at once with \"Forgot password\" on the sign-in page, and tell an administrator:",
                    ),
                    follow("Open \u{1a}", base_url.to_owned()),
                ],
            ),
            Self::SecondFactorReset { username } => letter(
                "Your second factor was removed",
                vec![
                    text(format!("Hello {},", shown(username))),
                    text(
                        "an administrator removed the second factor from your account. Your password alone signs you in now.",
                    ),
                    text("Set a new one up in your profile. If you did not ask for this, tell an administrator:"),
                    follow("Open \u{1a}", base_url.to_owned()),
                ],
            ),
        }
    }
}

/// What came of a request for a machine.
fn decided(username: &str, wish: &Wish, decision: &Decision, base_url: &str) -> Content {
    let machine = shown(wish.machine);
    let (verb, rest) = match decision {
        Decision::Approved => (
            "approved",
            vec![
                text(format!("you may use the machine {machine} {}.", wished(wish))),
                follow("Open the machine", format!("{base_url}/machines/{}", wish.agent_id)),
            ],
        ),
        Decision::Rejected { comment } => (
            "rejected",
            [
                vec![text(format!("your request for the machine {machine} was rejected."))],
                reason(comment),
                vec![follow("Your requests", format!("{base_url}/requests"))],
            ]
            .concat(),
        ),
        Decision::Revoked => (
            "revoked",
            vec![
                text(format!(
                    "an administrator took back what your request for the machine {machine} gave you."
                )),
                follow("Your requests", format!("{base_url}/requests")),
            ],
        ),
    };
    let hello = text(format!("Hello {},", shown(username)));
    letter(
        &format!("Your request for {machine} was {verb}"),
        [vec![hello], rest].concat(),
    )
}

/// For how long somebody asks, and for what: `for 8 hours, with sudo`.
fn wished(wish: &Wish) -> String {
    let time = match i64::from(wish.hours) {
        0 => "without an end".to_owned(),
        hours if hours % 24 == 0 => format!("for {}", days(hours / 24)),
        hours => format!("for {}", count(hours, "hour")),
    };
    if wish.sudo { format!("{time}, with sudo") } else { time }
}

/// What somebody wrote about it, if anything.
fn reason(words: &str) -> Vec<Block> {
    let line = on_one_line(words, MAX_REASON);
    if line.is_empty() {
        Vec::new()
    } else {
        vec![text(format!("The reason: {line}"))]
    }
}

fn letter(subject: &str, blocks: Vec<Block>) -> Content {
    Content {
        subject: subject.to_owned(),
        blocks,
    }
}

fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

fn follow(label: &'static str, url: String) -> Block {
    Block::Link { label, url }
}

/// A name that somebody chose, on one line and not too long.
fn shown(name: &str) -> String {
    on_one_line(name, MAX_NAME)
}

/// What somebody wrote, on one line and not longer than this.
fn on_one_line(text: &str, max: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .collect();
    let line = line.trim();
    match line.chars().count() > max {
        true => line.chars().take(max).chain(['…']).collect(),
        false => line.to_owned(),
    }
}

fn list(names: &[String]) -> String {
    let mut list: Vec<String> = names.iter().take(MAX_LISTED).map(|name| shown(name)).collect();
    if names.len() > MAX_LISTED {
        list.push(format!("and {} more", names.len() - MAX_LISTED));
    }
    list.join(", ")
}

/// A time span in the largest unit that fits it.
fn span(span: TimeDelta) -> String {
    match span.num_minutes() {
        minutes if minutes % 60 == 0 => count(minutes / 60, "hour"),
        minutes => count(minutes, "minute"),
    }
}

fn days(days: i64) -> String {
    count(days, "day")
}

fn count(number: i64, unit: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{s}")
}

#[cfg(test)]
mod tests;
