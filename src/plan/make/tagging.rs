//! The tags of a new snapshot: whose value wins where several give one, and what is left out where there are too many.
//!
//! Our own order, because DLM documents none: opendlm's own tags, then `TagsToAdd` of the owning schedule and of those
//! that coincide with it, then `VariableTags` in the same order, then what is copied from the volume.

use crate::options::Options;
use crate::plan::{copies, retain};
use crate::policy::{Policy, RetainRule, Schedule, Tag, Variable};
use crate::tags::stamp::{self, Stamp};
use crate::tags::{self, written};
use crate::world::InstanceId;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// EC2 user guide: a resource has at most 50 tags, those of AWS aside.
pub const TAGS_MAX: usize = 50;

/// The tags of a new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tagging {
    /// What it gets.
    pub(crate) tags: Vec<Tag>,
    /// The keys for which there was no room, in the order in which they would have come.
    pub(crate) left_out: Vec<String>,
}

/// What a new snapshot is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) options: &'a Options,
    /// When the call is planned.
    pub(crate) now: Timestamp,
    /// The schedules that it is for, the owner first.
    pub(crate) schedules: &'a [&'a Schedule],
    pub(crate) scheduled_time: Timestamp,
    /// The instance whose set it is part of, and how many members that is to have.
    pub(crate) set: Option<(InstanceId, u32)>,
}

/// The tags of a snapshot that is made for `purpose`.
pub(crate) fn tags(purpose: &Purpose<'_>, copied: &[Tag]) -> Tagging {
    let &Purpose { schedules, scheduled_time, set, .. } = purpose;
    let own = own_tags(purpose);
    let added = schedules.iter().flat_map(|schedule| schedule.tags_to_add.iter().cloned());
    let variable = schedules.iter().flat_map(|schedule| &schedule.variable_tags).filter_map(|tag| {
        let value = match tag.value {
            Variable::InstanceId => set?.0.to_string(),
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
pub(in crate::plan) fn is_copyable(key: &str) -> bool {
    // Whatever its case: IAM's conditions do not tell one from the other.
    let key = key.to_ascii_lowercase();
    !key.starts_with("aws:") && !key.starts_with(tags::RESERVED_PREFIX) && key != tags::DLM_MANAGED
}

fn own_tags(purpose: &Purpose<'_>) -> Vec<Tag> {
    let &Purpose { policy, options, now, schedules, scheduled_time, set } = purpose;
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let mut own = vec![tag(tags::POLICY_ID, policy.id.to_string())];
    if let Some(owner) = schedules.first() {
        own.push(tag(tags::SCHEDULE_NAME, owner.name.to_string()));
        own.extend(stamp::also(schedules.iter().skip(1).map(|schedule| &schedule.name)));
    }
    own.push(tag(tags::SCHEDULED_TIME, written(scheduled_time)));
    own.extend(expiration_time(purpose).map(|at| tag(tags::EXPIRATION_TIME, written(at))));
    own.extend(set.map(|(instance, _)| tag(tags::INSTANCE_ID, instance.to_string())));
    own.extend(stamp::copies(&copies::stamped(schedules)));
    let is_run_now = options.marks_run_now(policy);
    let count = |schedule: &&Schedule| match schedule.retain {
        RetainRule::Count(count) if !is_run_now => Some(count),
        RetainRule::Age(_) | RetainRule::Count(_) => None,
    };
    let stamp = Stamp {
        is_intact: true,
        called: tags::to_the_millisecond(now),
        counts: schedules.iter().map(count).collect(),
        members: set.map(|(_, members)| members),
        revision: options.revision,
        is_run_now,
    };
    own.push(stamp::tag(&own, &stamp));
    own
}

/// When the snapshot expires: the latest of all schedules that keep by age, because it stays as long as any of them keeps it;
/// that of a RunNow by an age of its own.
fn expiration_time(purpose: &Purpose<'_>) -> Option<Timestamp> {
    let &Purpose { policy, options, schedules, scheduled_time, .. } = purpose;
    if options.marks_run_now(policy) {
        return Some(retain::later_by(scheduled_time, options.run_now_retain));
    }
    schedules.iter().filter_map(|schedule| retain::expiration_time(&schedule.retain, scheduled_time)).max()
}
