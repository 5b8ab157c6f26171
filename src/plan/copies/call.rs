//! The calls of a Region's plan.

use super::Wanted;
use crate::action::{Action, CopySnapshot, DeleteSnapshot};
use crate::options::Options;
use crate::place::Region;
use crate::policy::{Policy, Tag};
use crate::tags::stamp::{self, Stamp};
use crate::tags::{self, CopiedFrom, written};
use crate::world::{Snapshot, SnapshotId};
use jiff::Timestamp;

/// The call that makes a copy in `region` of a snapshot in `home`; `None` where the snapshot does not carry what the copy is to say.
pub(crate) fn begin(
    policy: &Policy,
    options: &Options,
    now: Timestamp,
    (home, region): (&Region, &Region),
    wanted: &Wanted<'_>,
) -> Option<Action> {
    let Wanted { source, promise, .. } = wanted;
    let marks = &source.marks;
    let schedule = marks.schedule_name.value()?;
    let scheduled_time = *marks.scheduled_time.value()?;
    let of_source = marks.stamp.value()?;
    let from = CopiedFrom { region: home.clone(), snapshot: source.id };
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let expires = promise.expires_at(now, of_source.is_run_now.then_some(options.run_now_retain));
    let mut own = vec![tag(tags::POLICY_ID, policy.id.to_string()), tag(tags::SCHEDULE_NAME, schedule.to_string())];
    own.extend(stamp::also(marks.also.value().into_iter().flatten()));
    own.push(tag(tags::SCHEDULED_TIME, written(scheduled_time)));
    own.extend(expires.map(|at| tag(tags::EXPIRATION_TIME, written(at))));
    own.extend(marks.instance_id.value().map(|instance| tag(tags::INSTANCE_ID, instance.to_string())));
    own.push(tag(tags::COPIED_FROM, from.to_string()));
    own.push(tag(tags::VOLUME_ID, source.volume_id.to_string()));
    // The call may have to wait: what it says it began at must fit what EC2 says.
    let stamp = Stamp {
        is_intact: true,
        called: tags::to_the_millisecond(now),
        counts: vec![None; of_source.counts.len().max(1)],
        members: of_source.members,
        revision: options.revision,
        is_run_now: of_source.is_run_now,
    };
    own.push(stamp::tag(&own, &stamp));
    Some(Action::CopySnapshot(CopySnapshot {
        policy_id: policy.id.clone(),
        region: region.clone(),
        home: home.clone(),
        source: (*source).clone(),
        description: tags::copy_description(&policy.id, schedule, &from, region),
        tags: own,
        copies_tags: promise.copies_tags(),
        encrypted: promise.encrypted(),
        key: promise.key().cloned(),
    }))
}

/// The call that deletes a copy, which rests on others being there still.
pub(crate) fn deletion(
    policy: &Policy,
    (home, region): (&Region, &Region),
    copy: &Snapshot,
    rests_on: Vec<SnapshotId>,
) -> Action {
    let of_copy = Some((home.clone(), region.clone()));
    Action::DeleteSnapshot(DeleteSnapshot { policy_id: policy.id.clone(), snapshot: copy.clone(), of_copy, rests_on })
}
