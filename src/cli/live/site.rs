//! A schedule group with the policies in it, and the account that they work in.

use super::Told;
use crate::aws::{Accounts, Scheduler, ServiceError};
use crate::handler;
use crate::live::Target;
use crate::live::deployed::{self, Deployed, Inventory};
use crate::live::effect::Outlook;
use crate::policy::PolicyId;
use serde_json::Value;

/// A schedule group as it is now.
pub(super) struct Site {
    pub(super) scheduler: Scheduler,
    pub(super) group: String,
    pub(super) target: Target,
    pub(super) inventory: Inventory,
}

impl Site {
    /// Reads a group.
    pub(super) async fn open(group: String) -> Told<Self> {
        let scheduler = Scheduler::connect().await;
        let tags = match scheduler.group_tags(&group).await {
            Ok(tags) => tags,
            Err(ServiceError::NotFound(_)) => {
                return Err(format!(
                    "there is no schedule group {group} in this account and Region: deploy the stack of template.yaml, or name \
                     its group with --group or OPENDLM_GROUP"
                ));
            }
            Err(error) => return Err(error.to_string()),
        };
        let target = Target::of_tags(&tags).map_err(|missing| {
            format!(
                "the schedule group {group} is not of an opendlm stack: it has no tag {}; name the stack's group with --group or \
                 OPENDLM_GROUP",
                missing.join(", ")
            )
        })?;
        let found = scheduler.schedules(&group, &target.machine).await.map_err(|error| error.to_string())?;
        Ok(Self { scheduler, group, target, inventory: deployed::inventory(found) })
    }

    /// A policy that is to be there.
    pub(super) fn policy(&self, id: &PolicyId) -> Told<&Deployed> {
        self.inventory.policy(id).ok_or_else(|| {
            let known: Vec<&str> = self.inventory.policies.iter().map(|each| each.id.as_str()).collect();
            let known = if known.is_empty() { "no policy".to_owned() } else { known.join(", ") };
            format!("no policy {id} is deployed in the group {}, there is {known}", self.group)
        })
    }
}

/// The accounts that policies work in, opened once.
pub(super) struct Sight(Accounts);

impl Sight {
    pub(super) async fn open() -> Self {
        Self(Accounts::connect().await)
    }

    /// What the next run of an event does, or why that is not known.
    pub(super) async fn outlook(&self, event: &Value) -> Told<Outlook> {
        let (read, _) = handler::read_event(event).map_err(|error| error.text())?;
        if read.options.has_several_targets() {
            return Err("it works in several accounts or Regions, and this looks at one".to_owned());
        }
        let account = self.0.at(read.options.target.as_ref(), &read.policy.id).await;
        handler::outlook(&account, event).await.map_err(|error| error.text())
    }
}
