//! Looking at policies: which ones, and at all that there is to see of each.

use super::stack::look;
use super::{id_of, live};
use crate::answer::TurnError;
use crate::aws::{Account, Accounts, Machine, Neighbours, ObserveError};
use crate::cli::Document;
use crate::cli::document::{event, told_of};
use crate::doctor::beside::{KeyUse, OtherPolicy, key_uses};
use crate::doctor::surroundings::Stack;
use crate::doctor::{Look, PolicySeen};
use crate::event::{self, Event};
use crate::handler::{self, Examined};
use crate::live::deployed::{Deployed, Inventory};
use crate::live::runs::Run;
use crate::policy::decode::IdRule;
use crate::policy::{PolicyId, Targets};
use crate::turn::unsettled::Unsettled;
use crate::world::{SnapshotId, VolumeId};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How many executions are looked through for the last ones of each policy.
const EXECUTIONS_MAX: usize = 300;

/// What somebody asked about.
pub(super) enum Wanted {
    /// A file's event.
    Event(Value),
    /// A deployed policy.
    Id(PolicyId),
}

impl Wanted {
    /// Reads what somebody named.
    pub(super) fn read(file: PathBuf, group: live::Group) -> Result<Self, String> {
        let document = Document { file, json: false, group, deployed: None };
        match id_of(&document) {
            Some(id) => Ok(Self::Id(id)),
            None => event(&document).map(Self::Event),
        }
    }
}

/// A policy to look at.
pub(super) struct ToSee {
    name: String,
    event: Value,
    deployed: Option<Deployed>,
}

/// The policies to look at: the one that was asked about, or all.
pub(super) fn wanted(
    wanted: Option<Wanted>,
    inventory: Option<&Inventory>,
    stack: &Look<Stack>,
) -> Result<Vec<ToSee>, String> {
    let of_deployed = |deployed: &Deployed| ToSee {
        name: deployed.id.to_string(),
        event: live::event_of(&deployed.newest().document, deployed.revision()),
        deployed: Some(deployed.clone()),
    };
    match wanted {
        None => Ok(inventory.iter().flat_map(|inventory| &inventory.policies).map(of_deployed).collect()),
        Some(Wanted::Event(event)) => {
            let id = event::read(&event, IdRule::Required).value.map(|event| event.policy.id);
            let deployed = inventory.zip(id.as_ref()).and_then(|(inventory, id)| inventory.policy(id)).cloned();
            Ok(vec![ToSee { name: id.map_or_else(|| "?".to_owned(), |id| id.to_string()), event, deployed }])
        }
        Some(Wanted::Id(id)) => match (inventory.and_then(|inventory| inventory.policy(&id)), stack) {
            (Some(deployed), _) => Ok(vec![of_deployed(deployed)]),
            (None, Look::Seen(stack)) => {
                Err(format!("{id}: there is no such file, and no such policy is deployed in the group {}", stack.group))
            }
            // The line about the stack says why nothing can be said of the policy.
            (None, Look::Unknown(_)) => Ok(Vec::new()),
            (None, Look::Wrong(why)) => Err(format!("{id}: there is no such file, and no such policy: {why}")),
        },
    }
}

/// Looks at each.
pub(super) async fn gather(
    wanted: Vec<ToSee>,
    machine: Option<&Machine>,
    accounts: &Accounts,
    neighbours: &Neighbours,
) -> Vec<PolicySeen> {
    let runs = match machine {
        Some(machine) => look(machine.executions(EXECUTIONS_MAX, false).await)
            .map(|executions| executions.iter().map(|each| Run::of(each, None)).collect()),
        None => Look::Unknown("without a look at the stack nobody knows its runs".to_owned()),
    };
    let mut seen = Vec::new();
    for each in wanted {
        seen.push(see(each, &runs, machine, accounts, neighbours).await);
    }
    seen
}

async fn see(
    wanted: ToSee,
    runs: &Look<Vec<Run>>,
    machine: Option<&Machine>,
    accounts: &Accounts,
    neighbours: &Neighbours,
) -> PolicySeen {
    let ToSee { name, event, deployed } = wanted;
    let read = handler::read_event(&event).map(|(event, _)| event);
    let runs = match (runs, &read) {
        (Look::Seen(all), Ok(event)) => {
            let ours = all.iter().filter(|run| run.policy.as_ref() == Some(&event.policy.id));
            Look::Seen(ours.cloned().collect())
        }
        (runs, _) => runs.clone(),
    };
    let event_read = match read {
        Ok(read) => read,
        Err(error) => return unreadable(name, deployed, runs, &told_of(&error)),
    };
    let begun = match (machine, &runs) {
        (Some(machine), Look::Seen(runs)) => begun(machine, runs).await,
        _ => BTreeSet::new(),
    };
    let others = others(&event_read, neighbours).await;
    let policy = Some(event_read.policy.clone());
    if event_read.options.has_several_targets() {
        let why = || "it works in several accounts or Regions, and this looks at one".to_owned();
        let (looked, keys, listing) = (Look::Unknown(why()), Look::Unknown(why()), Look::Unknown(why()));
        return PolicySeen { name, policy, deployed, runs, looked, others, keys, listing };
    }
    let account = accounts.at(event_read.options.target.as_ref(), &event_read.policy.id).await;
    let (looked, keys) = match handler::examined(&account, &event).await {
        Ok(Examined { looked, volumes, backed_up }) => {
            let ids: Vec<_> = volumes.into_iter().collect();
            (Look::Seen(looked), keys(&account, &ids, &backed_up).await)
        }
        Err(error) => {
            let why = told_of(&error);
            let looked = match error {
                TurnError::PolicyInvalid(_) => Look::Wrong(why.clone()),
                TurnError::AccessDenied(_) | TurnError::Throttled(_) | TurnError::Unavailable(_) => {
                    Look::Unknown(why.clone())
                }
            };
            (looked, Look::Unknown(why))
        }
    };
    let listing = look_of(account.measured(&event_read.policy.id, &begun).await);
    PolicySeen { name, policy, deployed, runs, looked, others, keys, listing }
}

fn unreadable(name: String, deployed: Option<Deployed>, runs: Look<Vec<Run>>, why: &str) -> PolicySeen {
    let unknown = || "what cannot be read names no targets".to_owned();
    PolicySeen {
        name,
        policy: None,
        deployed,
        runs,
        looked: Look::Wrong(why.to_owned()),
        others: Look::Unknown(unknown()),
        keys: Look::Unknown(unknown()),
        listing: Look::Unknown(unknown()),
    }
}

/// The snapshots that the last run began and had not seen listed when it answered last.
async fn begun(machine: &Machine, runs: &[Run]) -> BTreeSet<SnapshotId> {
    let Some(run) = runs.first() else { return BTreeSet::new() };
    let Ok(Some(answer)) = machine.last_answer(&run.arn).await else { return BTreeSet::new() };
    let unsettled = answer.pointer("/Next/Progress/Unsettled").cloned().unwrap_or_default();
    let unsettled: Vec<Unsettled> = serde_json::from_value(unsettled).unwrap_or_default();
    unsettled.iter().flat_map(|turn| &turn.subjects).filter_map(|begun| begun.id).collect()
}

/// The policies of Amazon DLM that name the same tags, in the account and Region of the stack.
async fn others(event: &Event, neighbours: &Neighbours) -> Look<Vec<OtherPolicy>> {
    if event.options.target.is_some() || event.options.has_several_targets() {
        return Look::Unknown("it works in another account or Region, and this asks Amazon DLM in its own".to_owned());
    }
    match &event.policy.targets {
        Targets::AllVolumes(_) => neighbours.dlm_default_policies().await,
        Targets::Instances { any_of, .. } | Targets::Volumes { any_of } => {
            let tags = any_of.iter().map(|tag| format!("{}={}", tag.key, tag.value));
            neighbours.dlm_policies_of(tags.collect()).await
        }
    }
}

async fn keys(account: &Account, volumes: &[VolumeId], backed_up: &BTreeSet<VolumeId>) -> Look<Vec<KeyUse>> {
    look_of(account.keys_of(volumes).await).map(|keys| key_uses(&keys, backed_up))
}

/// What an answer of EC2 means. Whatever it is, it says only that nobody could look.
fn look_of<T>(asked: Result<T, ObserveError>) -> Look<T> {
    asked.map_or_else(|error| Look::Unknown(error.to_string()), Look::Seen)
}
