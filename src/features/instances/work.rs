//! What jobs do at the provider's: each lists the instances first, so that it decides by what is there now, and the list that is kept is new.
use protocol::api::inventory::types::SyncSource;

use super::access::Which;
use super::store;
use super::vultr::client::Provider;
use super::vultr::{Instance, Listed};
use crate::features::inventory;
use crate::features::jobs::edge::{EdgeJob, Failure};
use crate::platform::db::now;

/// How many instances are halted by one request. What one request did is not known in part, so it is not all of them.
const AT_ONCE: usize = 20;

/// What a provider's key is sealed with.
pub fn associated(organization: &protocol::ids::ObjectId) -> String {
    format!("clouds.key:{organization}")
}

/// The provider, and the key as it is kept: what is said to whoever has another is not kept.
async fn provider(job: &EdgeJob) -> Result<(Provider, String), Failure> {
    let keys = job.app().db()?.run(store::key(job.organization())).await?;
    let sealed = keys.into_iter().next().map(|row| row.key_sealed);
    let sealed = sealed.ok_or_else(|| {
        Failure::new("no key of Vultr is set: whoever may edit settings sets it, with PUT /api/instances/provider or in the console")
    })?;
    let config = &job.app().config;
    let key = config.sealing.try_open(&associated(job.organization()), &sealed);
    let key = key.ok_or_else(|| Failure::new("the key cannot be opened, as SECRETS_KEY has changed: set it again"))?;
    Ok((Provider::new(&config.vultr_api_url, key), sealed))
}

/// Lists the instances anew, with what they cost.
pub async fn refresh(job: &mut EdgeJob) -> Result<(), Failure> {
    job.say("--- Generating inventory ---").await?;
    let (provider, sealed) = provider(job).await?;
    let listed = provider.instances(job).await?;
    tell_of(job, &listed).await?;
    price(job, &provider, &sealed).await?;
    keep(job, &sealed, &listed).await?;
    sync(job).await
}

/// Asks what the account owes, and what the instances cost.
pub async fn costs(job: &mut EdgeJob) -> Result<(), Failure> {
    job.say("--- Fetching cost data from Vultr ---").await?;
    let (provider, sealed) = provider(job).await?;
    let listed = provider.instances(job).await?;
    tell_of(job, &listed).await?;
    price(job, &provider, &sealed).await?;
    let account = provider.account(job).await?;
    keep(job, &sealed, &listed).await?;
    sync(job).await?;
    let kept = store::account(job.organization(), &sealed, &account, &now());
    job.app().db()?.run(kept).await?;
    job.say("[Cost data cached successfully]").await
}

/// Halts instances, or destroys one.
pub async fn stop(job: &mut EdgeJob, which: Which) -> Result<(), Failure> {
    let title = title(&which);
    // Of one instance it is the first line, and otherwise what follows the list (contract).
    if let Which::Named { .. } = which {
        job.say(&title).await?;
    } else {
        job.say("--- Generating inventory ---").await?;
    }
    let (provider, sealed) = provider(job).await?;
    let listed = provider.instances(job).await?;
    tell_of(job, &listed).await?;
    keep(job, &sealed, &listed).await?;
    if !matches!(which, Which::Named { .. }) {
        job.say(&title).await?;
    }
    let meant = meant(&which, &listed).map_err(Failure::new)?;
    let done = match which {
        Which::Named { destroy: true, .. } => destroy(job, &provider, &meant).await,
        _ => halt(job, &provider, meant).await,
    };
    // Also of what was done before it failed. Whoever called it off is told no more.
    if !matches!(done, Err(Failure::Over(_))) {
        sync(job).await?;
    }
    done?;
    // What was not listed was not stopped, and "all" was said.
    match listed.left_out {
        0 => Ok(()),
        left_out => Err(Failure::new(format!(
            "{left_out} instances more are not listed, and were not looked at"
        ))),
    }
}

fn title(which: &Which) -> String {
    match which {
        Which::Named { label, region, destroy } => {
            let what = if *destroy { "Destroying" } else { "Stopping" };
            format!("--- {what} instance: {label} ({region}) ---")
        }
        Which::OfService(name) => format!("--- Stopping {name} instances ---"),
        Which::All => "--- Stopping all instances ---".to_owned(),
    }
}

/// Which of those that are listed are meant. The error is that it is not clear.
fn meant(which: &Which, listed: &Listed<Instance>) -> Result<Vec<Instance>, String> {
    let is_meant = |instance: &&Instance| match which {
        Which::Named { label, region, .. } => instance.label == *label && instance.region == *region,
        Which::OfService(name) => instance.tags.contains(name),
        Which::All => true,
    };
    let meant: Vec<Instance> = listed.items.iter().filter(is_meant).cloned().collect();
    match which {
        Which::Named { label, region, .. } if meant.is_empty() => {
            Err(format!("there is no instance {label} in {region}"))
        }
        // What is destroyed does not come back, so it has to be the only one.
        Which::Named { destroy: true, .. } if listed.left_out > 0 => {
            Err("the list is not whole: another instance may have this label there".to_owned())
        }
        Which::Named { destroy: true, .. } if meant.len() > 1 => Err(format!(
            "{} instances have this label there: which one is meant?",
            meant.len()
        )),
        _ => Ok(meant),
    }
}

async fn destroy(job: &mut EdgeJob, provider: &Provider, meant: &[Instance]) -> Result<(), Failure> {
    for instance in meant {
        provider.destroy(job, instance).await?;
        let gone = store::destroyed(job.organization(), instance);
        job.app().db()?.run(gone).await?;
        job.say(format!("Destroyed {}", instance.name())).await?;
        job.say("[Instance removed from cache]").await?;
    }
    Ok(())
}

/// Halts those that run. One that cannot be halted keeps none of the others running.
async fn halt(job: &mut EdgeJob, provider: &Provider, meant: Vec<Instance>) -> Result<(), Failure> {
    let (halted, runs): (Vec<_>, Vec<_>) = meant.into_iter().partition(Instance::is_halted);
    let already: Vec<String> = halted
        .iter()
        .map(|instance| format!("{} is stopped already", instance.name()))
        .collect();
    match (already.is_empty(), runs.is_empty()) {
        (true, true) => return job.say("[No instance to stop]").await,
        (false, _) => job.say_all(&already).await?,
        (true, false) => {}
    }
    let mut failed = 0;
    for some in runs.chunks(AT_ONCE) {
        let lines = match provider.halt(job, some).await {
            Ok(()) => {
                let noted = store::halted(job.organization(), some);
                job.app().db()?.run(noted).await?;
                said(some, |name| format!("Stopped {name}"))
            }
            Err(failure @ Failure::Over(_)) => return Err(failure),
            Err(failure) => {
                failed += some.len();
                said(some, |name| format!("{name} may not have been stopped: {failure}"))
            }
        };
        job.say_all(&lines).await?;
    }
    match failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!(
            "{failed} of {} instances may not have been stopped",
            runs.len()
        ))),
    }
}

fn said(instances: &[Instance], line: impl Fn(String) -> String) -> Vec<String> {
    instances.iter().map(|instance| line(instance.name())).collect()
}

async fn tell_of(job: &mut EdgeJob, listed: &Listed<Instance>) -> Result<(), Failure> {
    let count = listed.items.len();
    job.say(match count {
        1 => "1 instance".to_owned(),
        count => format!("{count} instances"),
    })
    .await?;
    match listed.left_out {
        0 => Ok(()),
        left_out => {
            job.say(format!("[Warning: {left_out} instances more are left out]"))
                .await
        }
    }
}

/// Keeps what plans cost. Without that the list is as good, and costs are 0.
async fn price(job: &mut EdgeJob, provider: &Provider, sealed: &str) -> Result<(), Failure> {
    match provider.plans(job).await {
        Ok(plans) => {
            let priced = store::price(job.organization(), sealed, &plans);
            job.app().db()?.run(priced).await?;
            job.say("[Plan pricing cached]").await
        }
        Err(failure @ Failure::Over(_)) => Err(failure),
        Err(failure) => {
            job.say(format!("[Warning: Could not cache plan pricing: {failure}]"))
                .await
        }
    }
}

/// Brings the servers of the inventory up to date. Without that the list is as good.
async fn sync(job: &mut EdgeJob) -> Result<(), Failure> {
    let (db, config) = (job.app().db()?, job.app().config.clone());
    let synced = inventory::sync::run(&db, &config.sealing, job.organization(), SyncSource::VultrInventory).await;
    let lines = match synced {
        Ok(outcome) => outcome
            .warning()
            .into_iter()
            .chain(["[Inventory objects synced]".to_owned()])
            .collect(),
        Err(error) => {
            let failure = Failure::from(error);
            vec![format!("[Warning: Could not sync inventory objects: {failure}]")]
        }
    };
    job.say_all(&lines).await
}

/// Keeps a list.
async fn keep(job: &mut EdgeJob, sealed: &str, listed: &Listed<Instance>) -> Result<(), Failure> {
    let kept = store::replace(job.organization(), sealed, listed, &now());
    match job.app().db()?.run(kept).await {
        Ok(_) => job.say("[Inventory cached successfully]").await,
        // It was listed all the same (contract).
        Err(error) => {
            let failure = Failure::from(error);
            job.say(format!("[Warning: Could not cache inventory: {failure}]"))
                .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed() -> Listed<Instance> {
        let instance = |id: &str, label: &str, region: &str, tags: &[&str]| {
            let value = json!({"id": id, "label": label, "region": region, "tags": tags});
            Instance::read(&value).unwrap()
        };
        Listed {
            items: vec![
                instance("a", "web", "mel", &["web", "eu"]),
                instance("b", "web", "fra", &["web"]),
                instance("c", "db", "mel", &["database"]),
                instance("d", "db", "mel", &["Web"]),
            ],
            left_out: 0,
        }
    }

    fn ids(which: &Which) -> Result<String, String> {
        let meant = meant(which, &listed())?;
        Ok(meant.into_iter().map(|instance| instance.id).collect())
    }

    fn named(label: &str, region: &str, destroy: bool) -> Which {
        Which::Named {
            label: label.to_owned(),
            region: region.to_owned(),
            destroy,
        }
    }

    #[test]
    fn instances_are_meant_by_label_and_region_by_their_services_tag_or_all() {
        assert_eq!(ids(&named("web", "mel", false)).unwrap(), "a");
        assert_eq!(ids(&Which::OfService("web".to_owned())).unwrap(), "ab");
        assert_eq!(ids(&Which::OfService("w".to_owned())).unwrap(), "");
        assert_eq!(ids(&Which::All).unwrap(), "abcd");
        assert!(
            ids(&named("web", "syd", false))
                .unwrap_err()
                .contains("no instance web in syd")
        );
    }

    #[test]
    fn of_two_with_one_name_both_are_halted_and_none_is_destroyed() {
        assert_eq!(ids(&named("db", "mel", false)).unwrap(), "cd");
        assert!(ids(&named("db", "mel", true)).unwrap_err().starts_with("2 instances"));
        assert_eq!(ids(&named("web", "fra", true)).unwrap(), "b");
        let cut = Listed {
            left_out: 1,
            ..listed()
        };
        assert!(meant(&named("web", "fra", true), &cut).is_err());
        assert_eq!(meant(&named("web", "fra", false), &cut).unwrap().len(), 1);
    }

    #[test]
    fn a_job_begins_with_what_it_does_to_which() {
        assert_eq!(
            title(&named("my web", "mel", false)),
            "--- Stopping instance: my web (mel) ---"
        );
        assert_eq!(
            title(&named("my web", "mel", true)),
            "--- Destroying instance: my web (mel) ---"
        );
        assert_eq!(
            title(&Which::OfService("web".to_owned())),
            "--- Stopping web instances ---"
        );
    }
}
