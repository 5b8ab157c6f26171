//! The calls of a Region's plan.

use super::Wanted;
use crate::action::{Action, CopySnapshot, DeleteSnapshot};
use crate::options::Options;
use crate::place::Region;
use crate::plan::tagging::{TAGS_MAX, is_copyable};
use crate::policy::{Policy, Tag};
use crate::tags::stamp::{self, Stamp};
use crate::tags::{self, CopiedFrom, written};
use crate::world::Snapshot;
use jiff::Timestamp;

/// The call that makes a copy in `region` of a snapshot in `home`; `None` where the snapshot does not carry what the copy is to say.
#[must_use]
pub fn begin(
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
        tags_left_out: Vec::new(),
    }))
}

/// The call with what only a look just before it tells: the user tags of the snapshot, as many as there is room for, and whether it is
/// encrypted. An encrypted snapshot's copy is encrypted in any case, so that the key that a rule names is asked for then too.
#[must_use]
pub fn completed(mut copy: CopySnapshot, user_tags: &[Tag], is_encrypted: bool) -> CopySnapshot {
    copy.encrypted |= is_encrypted && copy.key.is_some();
    if !copy.encrypted {
        // EC2 takes a key only for an encrypted copy (EC2 API reference, CopySnapshot: `KmsKeyId`).
        copy.key = None;
    }
    if copy.copies_tags {
        let room = TAGS_MAX.saturating_sub(copy.tags.len());
        let (kept, left_out): (Vec<&Tag>, Vec<&Tag>) = {
            let copyable: Vec<&Tag> = user_tags.iter().filter(|tag| is_copyable(&tag.key)).collect();
            let (kept, left_out) = copyable.split_at(room.min(copyable.len()));
            (kept.to_vec(), left_out.to_vec())
        };
        copy.tags.extend(kept.into_iter().cloned());
        copy.tags_left_out = left_out.into_iter().map(|tag| tag.key.clone()).collect();
    }
    copy
}

/// The call that deletes a copy, which rests on others being there still.
#[must_use]
pub fn deletion(
    policy: &Policy,
    (home, region): (&Region, &Region),
    copy: &Snapshot,
    rests_on: Vec<Snapshot>,
) -> Action {
    let of_copy = Some((home.clone(), region.clone()));
    Action::DeleteSnapshot(DeleteSnapshot { policy_id: policy.id.clone(), snapshot: copy.clone(), of_copy, rests_on })
}
