//! Whether a command may be run: by the policies, and if those want somebody to approve it, by the proof that somebody did.
use std::path::PathBuf;

use protocol::api::command_policy::approval_subject;
use protocol::terminal::agent::NoResult;
use sha2::{Digest, Sha256};

use super::Spec;
use crate::account::Account;
use crate::policy::{Place, Verdict, reader};
use crate::process;

const NO_BASH: &str = "this machine has no bash, and what another shell makes of a command is not known here";
const ANOTHER: &str = "what was approved is not this command";

/// Why a command is not run, for people and for the relay; nothing if it is.
pub async fn objection(spec: &Spec) -> Option<(String, NoResult)> {
    if spec.policies.are_empty() {
        return None;
    }
    let place = match place(spec) {
        Ok(place) => place,
        Err(why) => return Some((why, NoResult::Refused)),
    };
    let verdicts = reader::verdicts(vec![(spec.command.clone(), place)], spec.policies.clone()).await;
    match (verdicts.into_iter().next(), &spec.approval) {
        (Some(Verdict::Allowed), _) => None,
        (Some(Verdict::NeedsApproval(_)), Some(proof)) if *proof == self::proof(spec) => None,
        (Some(Verdict::NeedsApproval(_)), Some(_)) => Some((ANOTHER.to_owned(), NoResult::Refused)),
        (Some(Verdict::NeedsApproval(why)), None) => Some((why, NoResult::NeedsApproval)),
        (Some(Verdict::Refused(why)), _) => Some((why, NoResult::Refused)),
        (None, _) => Some((String::new(), NoResult::Refused)),
    }
}

/// What an approval of a command is.
fn proof(spec: &Spec) -> String {
    let subject = approval_subject(spec.agent_id.as_str(), &spec.origin.person, &spec.command);
    data_encoding::HEXLOWER.encode(&Sha256::digest(subject))
}

/// Where the commands of an account begin.
fn place(spec: &Spec) -> Result<Place, String> {
    let account = Account::find_on(&spec.system, &spec.account).map_err(|error| error.to_string())?;
    let shell = account.command_shell(&spec.system).map_err(|error| error.to_string())?;
    if shell.file_name() != Some("bash".as_ref()) {
        return Err(NO_BASH.to_owned());
    }
    Ok(Place {
        path: process::search_path(&account, &spec.system),
        directory: PathBuf::from(&account.home),
    })
}
