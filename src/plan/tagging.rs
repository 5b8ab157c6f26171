//! The tags of a new snapshot: whose value wins where several give one, and what is left out where there are too many.
//!
//! Our own order, because DLM documents none: opendlm's own tags, then `TagsToAdd` of the owning schedule and of those
//! that coincide with it, then `VariableTags` in the same order, then what is copied from the volume.

use super::retain;
use crate::policy::{Policy, Schedule, Tag, Variable};
use crate::tags::{self, written};
use crate::world::InstanceId;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// EC2 user guide: a resource has at most 50 tags, those of AWS aside.
pub const TAGS_MAX: usize = 50;

/// The tags of a new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tagging {
    /// What it gets.
    pub(super) tags: Vec<Tag>,
    /// The keys for which there was no room, in the order in which they would have come.
    pub(super) left_out: Vec<String>,
}

/// The tags of a snapshot that `schedules` (the owner first) make for `scheduled_time`.
pub(super) fn tags(
    policy: &Policy,
    schedules: &[&Schedule],
    scheduled_time: Timestamp,
    instance: Option<&InstanceId>,
    copied: &[Tag],
) -> Tagging {
    let own = own_tags(policy, schedules, scheduled_time, instance);
    let added = schedules.iter().flat_map(|schedule| schedule.tags_to_add.iter().cloned());
    let variable = schedules.iter().flat_map(|schedule| &schedule.variable_tags).filter_map(|tag| {
        let value = match tag.value {
            Variable::InstanceId => instance?.to_string(),
            Variable::Timestamp => written(scheduled_time),
        };
        Some(Tag { key: tag.key.clone(), value })
    });
    let copied = copied.iter().filter(|tag| is_copyable(&tag.key)).cloned();
    let mut tagging = Tagging { tags: Vec::new(), left_out: Vec::new() };
    let mut keys = BTreeSet::new();
    for tag in own.into_iter().chain(added).chain(variable).chain(copied) {
        if !keys.insert(tag.key.clone()) {
            continue;
        }
        if tagging.tags.len() < TAGS_MAX {
            tagging.tags.push(tag);
        } else {
            tagging.left_out.push(tag.key);
        }
    }
    tagging
}

/// Whether a tag may be taken from a volume: not AWS's own, and none that opendlm or DLM would take for its mark.
pub(super) fn is_copyable(key: &str) -> bool {
    // Whatever its case: IAM's conditions do not tell one from the other.
    let key = key.to_ascii_lowercase();
    !key.starts_with("aws:") && !key.starts_with(tags::RESERVED_PREFIX) && key != tags::DLM_MANAGED
}

fn own_tags(
    policy: &Policy,
    schedules: &[&Schedule],
    scheduled_time: Timestamp,
    instance: Option<&InstanceId>,
) -> Vec<Tag> {
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let mut own = vec![tag(tags::POLICY_ID, policy.id.to_string())];
    if let Some(owner) = schedules.first() {
        own.push(tag(tags::SCHEDULE_NAME, owner.name.to_string()));
        own.push(tag(tags::SCHEDULED_TIME, written(scheduled_time)));
        let expiration = retain::expiration_time(&owner.retain, scheduled_time);
        own.extend(expiration.map(|at| tag(tags::EXPIRATION_TIME, written(at))));
    }
    own.extend(instance.map(|id| tag(tags::INSTANCE_ID, id.to_string())));
    own
}
