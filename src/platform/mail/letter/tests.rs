use super::*;
use crate::platform::brand::tests::{as_it_comes, brand};
use crate::platform::mail::render;

const BASE: &str = "https://edge.example.com";
const HOSTILE: &str = "<script>alert(1)</script>\u{1a}\"'&\r\nBcc: eve@example.org";

/// Every letter, about somebody of this name.
fn all<'a>(name: &'a str, names: &'a [String], token: &'a Secret) -> Vec<(Letter<'a>, Option<&'static str>)> {
    let link = Link {
        token,
        lasts: TimeDelta::hours(72),
    };
    let (username, organization, inviter) = (name, name, name);
    vec![
        (Letter::Welcome { username, link }, Some("/verify-email/")),
        (
            Letter::SignInCode {
                username,
                code: token,
                lasts: TimeDelta::minutes(10),
            },
            None,
        ),
        (
            Letter::Invitation {
                inviter,
                organization,
                link,
            },
            Some("/accept-invite/"),
        ),
        (Letter::PasswordReset { username, link }, Some("/reset-password/")),
        (
            Letter::AccountMade {
                username,
                organization,
                link,
            },
            Some("/reset-password/"),
        ),
        (
            Letter::InactivityWarning {
                username,
                organization,
                days_left: 7,
            },
            None,
        ),
        (
            Letter::Deactivated {
                username,
                organization,
                days: 30,
            },
            None,
        ),
        (
            Letter::DeactivatedUsers {
                usernames: names,
                organization,
                days: 30,
            },
            None,
        ),
        (
            Letter::AccessAsked {
                requester: name,
                wish: wish(name),
                note: name,
            },
            None,
        ),
        (
            Letter::CommandAwaits {
                sender: name,
                machine: name,
                why: name,
            },
            None,
        ),
        (
            Letter::AccessDecided {
                username,
                wish: wish(name),
                decision: Decision::Approved,
            },
            None,
        ),
        (
            Letter::AccessDecided {
                username,
                wish: wish(name),
                decision: Decision::Rejected { comment: name },
            },
            None,
        ),
        (
            Letter::AccessDecided {
                username,
                wish: wish(name),
                decision: Decision::Revoked,
            },
            None,
        ),
        (
            Letter::Alert {
                summary: name,
                text: name,
            },
            None,
        ),
        (Letter::PasswordChanged { username }, None),
        (Letter::SecondFactorReset { username }, None),
    ]
}

#[test]
fn both_parts_of_a_letter_carry_its_link() {
    let token = Secret::from("0a1b2c".to_owned());
    for (letter, path) in all("ann", &["ann".to_owned()], &token) {
        let content = letter.content(BASE);
        let (text, html) = (
            render::text(&content, BASE, &as_it_comes()),
            render::html(&content, BASE, &as_it_comes()),
        );
        match path {
            Some(path) => {
                let url = format!("{BASE}{path}0a1b2c");
                assert!(text.contains(&url), "{text}");
                assert!(html.contains(&format!("href=\"{url}\"")), "{html}");
            }
            None => {
                let holds_code = matches!(letter, Letter::SignInCode { .. });
                assert_eq!(text.contains("0a1b2c"), holds_code, "{text}");
                assert_eq!(html.contains("0a1b2c"), holds_code, "{html}");
            }
        }
    }
}

#[test]
fn a_hostile_name_is_only_a_name() {
    let token = Secret::from("0a1b2c".to_owned());
    for (letter, _) in all(HOSTILE, &[HOSTILE.to_owned()], &token) {
        let content = letter.content(BASE);
        assert!(!content.subject.contains(['\r', '\n']), "{}", content.subject);
        let html = render::html(&content, BASE, &as_it_comes());
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        let text = render::text(&content, BASE, &as_it_comes());
        assert!(text.lines().all(|line| !line.starts_with("Bcc:")), "{text}");
    }
}

#[test]
fn a_name_is_cut_where_it_would_be_a_letter_of_its_own() {
    let content = Letter::PasswordChanged {
        username: &"x".repeat(1000),
    }
    .content(BASE);
    assert_eq!(
        content.blocks[0],
        Block::Text(format!("Hello {}…,", "x".repeat(MAX_NAME)))
    );
}

fn wish(machine: &str) -> Wish<'_> {
    Wish {
        machine,
        agent_id: "0a1b2d",
        hours: 8,
        sudo: true,
    }
}

#[test]
fn a_letter_says_the_name_that_was_chosen_wherever_it_says_one() {
    let token = Secret::from("0a1b2c".to_owned());
    let acme = brand("Acme", "Cloud", "#0a5c42");
    for (letter, _) in all("ann", &["ann".to_owned()], &token) {
        let content = letter.content(BASE);
        let whole = |brand| {
            let (text, html) = (render::text(&content, BASE, brand), render::html(&content, BASE, brand));
            format!("{}\n{text}\n{html}", brand.named(&content.subject))
        };
        let (ours, theirs) = (whole(&as_it_comes()), whole(&acme));
        assert!(
            ours.contains("VSAY Edge") && !ours.contains("background:#ffffff"),
            "{ours}"
        );
        assert!(theirs.contains("Acme Cloud") && !theirs.contains("VSAY"), "{theirs}");
        assert!(!ours.contains('\u{1a}') && !theirs.contains('\u{1a}'));
        assert!(
            theirs.contains(r#"<span style="color:#0a5c42">Acme</span>"#),
            "{theirs}"
        );
        assert_eq!(
            theirs.contains("background:#0a5c42;color:#ffffff"),
            theirs.contains("display:inline-block")
        );
    }
}

#[test]
fn a_hostile_name_of_the_product_is_only_a_name() {
    let token = Secret::from("0a1b2c".to_owned());
    let acme = brand(HOSTILE, "x</title><b>", "red;background:url(https://evil.example)");
    for (letter, _) in all("ann", &["ann".to_owned()], &token) {
        let content = letter.content(BASE);
        assert!(!acme.named(&content.subject).contains(['\r', '\n']));
        let html = render::html(&content, BASE, &acme);
        assert!(
            !html.contains("<script>") && !html.contains("x</title>") && !html.contains("evil"),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;"), "{html}");
        let text = render::text(&content, BASE, &acme);
        assert!(text.lines().all(|line| !line.starts_with("Bcc:")), "{text}");
    }
}

#[test]
fn a_light_colour_has_dark_words_on_it_and_is_none_of_the_heading() {
    let token = Secret::from("0a1b2c".to_owned());
    let letter = Letter::PasswordReset {
        username: "ann",
        link: Link {
            token: &token,
            lasts: TimeDelta::hours(1),
        },
    };
    let html = render::html(&letter.content(BASE), BASE, &brand("Acme", "", "#ffd400"));
    assert!(html.contains("background:#ffd400;color:#000000"), "{html}");
    assert!(!html.contains("color:#ffd400\">"), "{html}");
}

#[test]
fn a_request_is_told_with_its_time_and_reason_and_leads_to_where_it_is_decided() {
    let text = |letter: Letter| render::text(&letter.content(BASE), BASE, &as_it_comes());
    let asked = |hours, sudo, note| {
        let wish = Wish {
            hours,
            sudo,
            ..wish("web")
        };
        text(Letter::AccessAsked {
            requester: "bob",
            wish,
            note,
        })
    };
    let whole = asked(8, true, "the disk\nis full");
    for part in [
        "bob asks to use the machine web for 8 hours, with sudo.",
        "The reason: the disk is full",
        "https://edge.example.com/requests",
    ] {
        assert!(whole.contains(part), "{whole}");
    }
    assert!(asked(48, false, "").contains("for 2 days.") && !asked(0, false, "").contains("reason"));
    assert!(asked(0, false, "").contains("without an end."));
    assert!(asked(1, false, &"x".repeat(1000)).contains(&format!("{}…", "x".repeat(MAX_REASON))));
    let approved = text(Letter::AccessDecided {
        username: "bob",
        wish: wish("web"),
        decision: Decision::Approved,
    });
    assert!(
        approved.contains("https://edge.example.com/machines/0a1b2d"),
        "{approved}"
    );
}

#[test]
fn spans_are_said_in_words() {
    for (minutes, words) in [
        (1, "1 minute"),
        (10, "10 minutes"),
        (60, "1 hour"),
        (90, "90 minutes"),
        (4320, "72 hours"),
    ] {
        assert_eq!(span(TimeDelta::minutes(minutes)), words);
    }
    assert_eq!(days(1), "1 day");
}

#[test]
fn a_long_list_of_accounts_is_counted() {
    let names: Vec<String> = (0..60).map(|n| format!("u{n}")).collect();
    let text = list(&names);
    assert!(text.ends_with("u49, and 10 more"), "{text}");
}
