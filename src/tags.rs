//! The database schema: every tag and the description that opendlm writes or reads, in one table.
//!
//! | tag | value |
//! |---|---|
//! | `opendlm:policy-id` | the policy's id |
//! | `opendlm:schedule-name` | the schedule's name when the snapshot was made |
//! | `opendlm:scheduled-time` | RFC 3339, UTC, to the second: the scheduled time, not the actual one |
//! | `opendlm:expiration-time` | age-based schedules: RFC 3339, UTC, stamped at creation |
//! | `opendlm:also`, `opendlm:also-2` | the other schedules that a snapshot is for, where several coincide |
//! | `opendlm:stamp` | a digest of all these, and what made the snapshot: see [`stamp`] |
//! | `opendlm:instance-id` | instance policies: the instance whose set of snapshots it belongs to |
//! | `opendlm:copies`, `opendlm:copies-2`, ... | the copies in other Regions that it is to get, as [`CopyRule`] writes them |
//! | `opendlm:copied-from` | on a copy: the Region and the id of the snapshot that it was made of, as in `us-east-1/snap-0ab` |
//! | `opendlm:volume-id` | on a copy: the volume that the snapshot was made of, since EC2 shows none |
//! | `opendlm:hold` | never written, only read: whatever its value, the snapshot stays; `until=<date>` ends that |
//! | the schedule's `TagsToAdd`, `VariableTags`, copied tags | as the policy says |
//!
//! All of them go in the create call itself. EC2 never lets anyone change a description, and everyone who may call
//! CreateTags can change tags; so a snapshot is ours only if both agree ([`ownership`]).

mod sharing;
pub mod stamp;

use crate::place::Region;
use crate::policy::{CopyRule, PolicyId, ScheduleName};
use crate::world::{InstanceId, Origin, Snapshot, SnapshotId, VolumeId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
pub use sharing::{SharedMarks, Sharing};
pub use stamp::Stamp;
use std::fmt;
use std::sync::Arc;

/// The policy's id.
pub const POLICY_ID: &str = "opendlm:policy-id";
/// The schedule's name when the snapshot was made.
pub const SCHEDULE_NAME: &str = "opendlm:schedule-name";
/// The scheduled time that the snapshot answers.
pub const SCHEDULED_TIME: &str = "opendlm:scheduled-time";
/// When an age-based snapshot expires.
pub const EXPIRATION_TIME: &str = "opendlm:expiration-time";
/// The instance whose set a snapshot belongs to.
pub const INSTANCE_ID: &str = "opendlm:instance-id";
/// The names of the other schedules that the snapshot is for, joined by `+`; the second one where the first is full.
pub const ALSO: [&str; 2] = ["opendlm:also", "opendlm:also-2"];
/// The copies that a snapshot is to get, joined by `+`; the next one where one is full. Four schedules with three rules each have
/// twelve, of which two of the longest find room in a tag.
pub const COPIES: [&str; 6] = [
    "opendlm:copies",
    "opendlm:copies-2",
    "opendlm:copies-3",
    "opendlm:copies-4",
    "opendlm:copies-5",
    "opendlm:copies-6",
];
/// What a copy was made of.
pub const COPIED_FROM: &str = "opendlm:copied-from";
/// The volume of the snapshot that a copy was made of.
pub const VOLUME_ID: &str = "opendlm:volume-id";
/// Keeps a snapshot whatever the rules say. Written by people.
pub const HOLD: &str = "opendlm:hold";
/// Amazon DLM writes it on what it makes; nobody else should.
pub const DLM_MANAGED: &str = "dlm:managed";
/// What all keys of our own begin with; no policy may add such a tag.
pub const RESERVED_PREFIX: &str = "opendlm:";

/// What the description of every snapshot of a policy begins with: what Amazon DLM writes, up to the schedule's name.
#[must_use]
pub fn description_prefix(policy: &PolicyId) -> String {
    format!("Created for policy: {policy} schedule: ")
}

/// Whether a description begins with [`description_prefix`], without writing that down: it is asked of every snapshot.
fn begins_as_ours(policy: &PolicyId, description: &str) -> bool {
    let rest = description.strip_prefix("Created for policy: ").and_then(|rest| rest.strip_prefix(policy.as_str()));
    rest.is_some_and(|rest| rest.starts_with(" schedule: "))
}

/// The description of a snapshot, exactly as Amazon DLM writes it.
#[must_use]
pub fn description(policy: &PolicyId, schedule: &ScheduleName) -> String {
    format!("{}{schedule}", description_prefix(policy))
}

/// EC2 API reference, CopySnapshot: the longest description.
const DESCRIPTION_LENGTH_MAX: usize = 255;

/// The description of a copy in the Region `to`. It names both Regions, so that a copy that somebody makes of our copy is not
/// taken for ours; of a schedule's name as much as there is room for.
#[must_use]
pub fn copy_description(policy: &PolicyId, schedule: &ScheduleName, from: &CopiedFrom, to: &Region) -> String {
    let end = format!(" (copy of {} from {} to {to})", from.snapshot, from.region);
    let mut beginning = description(policy, schedule);
    let room = DESCRIPTION_LENGTH_MAX.saturating_sub(end.len());
    // Most are short: bytes are counted faster than characters.
    if beginning.len() > room
        && let Some((cut, _)) = beginning.char_indices().nth(room)
    {
        beginning.truncate(cut);
    }
    beginning + &end
}

/// RFC 3339, UTC, to the second: the form of every instant that opendlm writes.
#[must_use]
pub fn written(instant: Timestamp) -> String {
    to_the_second(instant).to_string()
}

/// The instant without its fraction of a second.
#[must_use]
pub fn to_the_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).expect("the whole second of a timestamp is a timestamp")
}

/// The instant to the millisecond: two calls that are made in one second are told apart by it.
pub(crate) fn to_the_millisecond(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).expect("the whole millisecond of a timestamp is a timestamp")
}

/// What opendlm's tags on a snapshot say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Marks {
    /// `opendlm:policy-id`, as it stands.
    pub policy_id: Option<Arc<str>>,
    /// `opendlm:schedule-name`.
    pub schedule_name: Mark<ScheduleName>,
    /// `opendlm:scheduled-time`.
    pub scheduled_time: Mark<Timestamp>,
    /// `opendlm:expiration-time`.
    pub expiration_time: Mark<Timestamp>,
    /// `opendlm:also`.
    pub also: Mark<Vec<ScheduleName>>,
    /// `opendlm:stamp`.
    pub stamp: Mark<Stamp>,
    /// `opendlm:instance-id`.
    pub instance_id: Mark<InstanceId>,
    /// `opendlm:copies`.
    pub copies: Mark<Vec<CopyRule>>,
    /// `opendlm:copied-from`.
    pub copied_from: Mark<CopiedFrom>,
    /// `opendlm:volume-id`.
    pub volume_id: Mark<VolumeId>,
    /// `opendlm:hold`.
    pub hold: Option<Hold>,
}

/// What a copy was made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopiedFrom {
    /// The Region of the snapshot.
    pub region: Region,
    /// The snapshot.
    pub snapshot: SnapshotId,
}

impl CopiedFrom {
    /// Reads `us-east-1/snap-0ab`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (region, snapshot) = text.split_once('/')?;
        Some(Self { region: Region::parse(region)?, snapshot: SnapshotId::parse(snapshot)? })
    }
}

impl fmt::Display for CopiedFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.region, self.snapshot)
    }
}

/// How long a snapshot is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Until the tag is taken off. Any value that is no date means this.
    Forever,
    /// Until this instant.
    Until(Timestamp),
}

impl Hold {
    /// Reads the value of the tag: `until=2026-12-31` holds through that day, `until=2026-12-31T12:00:00Z` until then.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let Some(date) = text.trim().strip_prefix("until=") else { return Self::Forever };
        let end_of_day =
            |date: Date| date.tomorrow().and_then(|next| Offset::UTC.to_timestamp(next.at(0, 0, 0, 0))).ok();
        let instant = date.parse::<Timestamp>().ok().or_else(|| date.parse::<Date>().ok().and_then(end_of_day));
        instant.map_or(Self::Forever, Self::Until)
    }

    /// Whether the snapshot is still held at `now`.
    #[must_use]
    pub fn holds_at(self, now: Timestamp) -> bool {
        match self {
            Self::Forever => true,
            Self::Until(until) => now < until,
        }
    }
}

/// One tag: anybody may have removed it or written nonsense into it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Mark<T> {
    /// There is no such tag.
    #[default]
    Absent,
    /// The value that it holds.
    Read(T),
    /// It holds this text, which has no meaning.
    Unreadable(String),
}

impl<T> Mark<T> {
    /// The value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }

    fn parse(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Self {
        read(text).map_or_else(|| Self::Unreadable(text.to_owned()), Self::Read)
    }
}

impl Marks {
    /// Whether a RunNow made what carries them: it is in no schedule's series.
    #[must_use]
    pub fn is_run_now(&self) -> bool {
        self.stamp.value().is_some_and(|stamp| stamp.is_run_now)
    }

    /// Reads the tags of a snapshot; those of others are passed over.
    pub fn read<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::read_sharing(tags, |text| text.into())
    }

    /// Like [`Self::read`], with one copy from `share` of each text that many snapshots carry.
    pub fn read_sharing<'a>(
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
        mut share: impl FnMut(&str) -> Arc<str>,
    ) -> Self {
        let mut marks = Self::default();
        let mut raw = stamp::Raw::default();
        for (key, value) in tags {
            raw.note(key, value);
            match key {
                POLICY_ID => marks.policy_id = Some(share(value)),
                SCHEDULE_NAME => {
                    marks.schedule_name = Mark::parse(value, |text| ScheduleName::parse_sharing(text, &mut share).ok());
                }
                SCHEDULED_TIME => marks.scheduled_time = Mark::parse(value, |text| text.parse().ok()),
                INSTANCE_ID => marks.instance_id = Mark::parse(value, InstanceId::parse),
                HOLD => marks.hold = Some(Hold::parse(value)),
                EXPIRATION_TIME => marks.expiration_time = Mark::parse(value, |text| text.parse().ok()),
                COPIED_FROM => marks.copied_from = Mark::parse(value, CopiedFrom::parse),
                VOLUME_ID => marks.volume_id = Mark::parse(value, VolumeId::parse),
                _ => {}
            }
        }
        marks.also = raw.also(&mut share);
        marks.copies = raw.copies();
        if let Some(text) = raw.stamp() {
            marks.stamp = Mark::parse(text, |_| raw.read());
        }
        marks
    }
}

/// Whether a snapshot of this account was made by opendlm for a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Made by CopySnapshot: whoever copied it took the tags along (DLM: retention is not carried over to copies).
    Copy,
    /// Its description does not begin as the policy's do, so somebody put our tag on it.
    OtherDescription,
    /// It does not carry the policy's id.
    OtherPolicy,
    /// It is ours.
    Ours,
}

/// Tells the [`ownership`] of many snapshots. Those of one schedule share their texts, and what was read once is known by
/// where it lies.
#[derive(Debug)]
pub(crate) struct Owner<'w> {
    policy: &'w PolicyId,
    /// The tag and the description of a snapshot of ours.
    known: Option<(&'w Arc<str>, &'w Arc<str>)>,
}

impl<'w> Owner<'w> {
    pub(crate) fn new(policy: &'w PolicyId) -> Self {
        Self { policy, known: None }
    }

    pub(crate) fn is_of(&mut self, snapshot: &'w Snapshot) -> bool {
        let texts = snapshot.marks.policy_id.as_ref().map(|id| (id, &snapshot.description));
        if let (Some((id, description)), Some((known_id, known_description))) = (texts, self.known)
            && Arc::ptr_eq(id, known_id)
            && Arc::ptr_eq(description, known_description)
        {
            return snapshot.origin != Origin::Copied;
        }
        let is_ours = ownership(self.policy, snapshot) == Ownership::Ours;
        if is_ours {
            self.known = texts;
        }
        is_ours
    }
}

/// Whether `snapshot` was made by opendlm for `policy`: tag and immutable description must agree, and it is no copy.
/// That the account owns it is part of how it was asked for (`OwnerIds: self`).
#[must_use]
pub fn ownership(policy: &PolicyId, snapshot: &Snapshot) -> Ownership {
    if snapshot.marks.policy_id.as_deref() != Some(policy.as_str()) {
        Ownership::OtherPolicy
    } else if !begins_as_ours(policy, &snapshot.description) {
        Ownership::OtherDescription
    } else if snapshot.origin == Origin::Copied {
        Ownership::Copy
    } else {
        Ownership::Ours
    }
}

/// Whether a snapshot in `region` is a copy that opendlm made of a snapshot of the policy in `home`: the tags say so, and the
/// description, which nobody can change, says the same, both Regions included. A copy that somebody makes of it elsewhere has the
/// description of this one.
#[must_use]
pub fn is_copy_of_ours(policy: &PolicyId, home: &Region, region: &Region, snapshot: &Snapshot) -> bool {
    let marks = &snapshot.marks;
    let is_tagged = marks.policy_id.as_deref() == Some(policy.as_str());
    let (Some(name), Some(from)) = (marks.schedule_name.value(), marks.copied_from.value()) else { return false };
    is_tagged
        && snapshot.origin == Origin::Copied
        && from.region == *home
        && *snapshot.description == *copy_description(policy, name, from, region)
}
