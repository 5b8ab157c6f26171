//! Looking at a stack: what its schedule group names, and what those are.

use crate::aws::{Machine, Neighbours, Scheduler, ServiceError};
use crate::doctor::surroundings::Stack;
use crate::doctor::{Look, machine};
use crate::live::Target;
use crate::live::deployed::{self, Inventory};
use serde_json::Value;

/// A stack, and what to ask further.
pub(super) struct Found {
    pub(super) stack: Stack,
    pub(super) inventory: Inventory,
    pub(super) machine: Machine,
}

/// Looks at the stack whose schedule group this is.
pub(super) async fn gather(group: String, neighbours: &Neighbours) -> Look<Found> {
    let scheduler = Scheduler::connect().await;
    let tags = match scheduler.group_tags(&group).await {
        Ok(tags) => tags,
        Err(ServiceError::NotFound(_)) => {
            return Look::Wrong(format!("there is no schedule group {group} in this account and Region"));
        }
        Err(error) => return Look::Unknown(error.to_string()),
    };
    let target = match Target::of_tags(&tags) {
        Ok(target) => target,
        Err(missing) => {
            let missing = missing.join(", ");
            return Look::Wrong(format!(
                "the schedule group {group} is not of an opendlm stack: it has no tag {missing}"
            ));
        }
    };
    let inventory = match scheduler.schedules(&group, &target.machine).await {
        Ok(found) => deployed::inventory(found),
        Err(error) => return Look::Unknown(error.to_string()),
    };
    let machine = Machine::connect(&target.machine).await;
    let definition = look(machine.definition().await);
    let topic = match &definition {
        Look::Seen(definition) => machine::read(definition, &target.machine).and_then(|filled| filled.topic),
        Look::Unknown(_) | Look::Wrong(_) => None,
    };
    let subscribers = match topic {
        Some(topic) => neighbours.subscribers(&topic).await,
        None => Look::Unknown("the machine's definition would name the topic".to_owned()),
    };
    let version = tags.iter().find(|(key, _)| key == Target::VERSION_TAG).map(|(_, value)| value.clone());
    let stack = Stack {
        version,
        function_version: function_version(&machine).await,
        dead_letters: neighbours.messages(&target.dead_letter_queue).await,
        strangers: inventory.strangers.clone(),
        definition,
        subscribers,
        group,
        target,
    };
    Look::Seen(Found { stack, inventory, machine })
}

/// The version that the function gave in its last answer.
async fn function_version(machine: &Machine) -> Look<Option<String>> {
    let last = match look(machine.executions(1, false).await) {
        Look::Seen(last) => last,
        Look::Unknown(why) => return Look::Unknown(why),
        Look::Wrong(why) => return Look::Wrong(why),
    };
    let Some(execution) = last.first() else { return Look::Seen(None) };
    look(machine.last_answer(&execution.arn).await).map(|answer| answer.as_ref().and_then(version_of))
}

fn version_of(answer: &Value) -> Option<String> {
    answer.get("Version").and_then(Value::as_str).map(str::to_owned)
}

/// What an answer of Step Functions means.
pub(super) fn look<T>(asked: Result<T, ServiceError>) -> Look<T> {
    match asked {
        Ok(seen) => Look::Seen(seen),
        Err(error @ ServiceError::NotFound(_)) => Look::Wrong(error.to_string()),
        Err(error) => Look::Unknown(error.to_string()),
    }
}
