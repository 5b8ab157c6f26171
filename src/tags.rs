//! The database schema: every tag and the description that opendlm writes or reads, in one table.
//!
//! | tag | value |
//! |---|---|
//! | `opendlm:policy-id` | the policy's id |
//! | `opendlm:schedule-name` | the schedule's name when the snapshot was made |
//! | `opendlm:scheduled-time` | RFC 3339, UTC, to the second: the scheduled time, not the actual one |
//! | `opendlm:expiration-time` | age-based schedules: RFC 3339, UTC, stamped at creation |
//! | the schedule's `TagsToAdd` | as the policy says |
//!
//! All of them go in the create call itself. EC2 never lets anyone change a description, and everyone who may call
//! CreateTags can change tags; so a snapshot is ours only if both agree ([`ownership`]).

use crate::policy::{PolicyId, ScheduleName, Tag};
use crate::world::{Origin, Snapshot};
use jiff::Timestamp;

/// The policy's id.
pub const POLICY_ID: &str = "opendlm:policy-id";
/// The schedule's name when the snapshot was made.
pub const SCHEDULE_NAME: &str = "opendlm:schedule-name";
/// The scheduled time that the snapshot answers.
pub const SCHEDULED_TIME: &str = "opendlm:scheduled-time";
/// When an age-based snapshot expires.
pub const EXPIRATION_TIME: &str = "opendlm:expiration-time";
/// What all keys of our own begin with; no policy may add such a tag.
pub const RESERVED_PREFIX: &str = "opendlm:";

/// What the description of every snapshot of a policy begins with: what Amazon DLM writes, up to the schedule's name.
#[must_use]
pub fn description_prefix(policy: &PolicyId) -> String {
    format!("Created for policy: {policy} schedule: ")
}

/// The description of a snapshot, exactly as Amazon DLM writes it.
#[must_use]
pub fn description(policy: &PolicyId, schedule: &ScheduleName) -> String {
    format!("{}{schedule}", description_prefix(policy))
}

/// The tags of a new snapshot: ours first, then the schedule's own.
#[must_use]
pub fn of_new_snapshot(
    policy: &PolicyId,
    schedule: &ScheduleName,
    scheduled_time: Timestamp,
    expiration_time: Option<Timestamp>,
    tags_to_add: &[Tag],
) -> Vec<Tag> {
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let mut tags = vec![
        tag(POLICY_ID, policy.to_string()),
        tag(SCHEDULE_NAME, schedule.to_string()),
        tag(SCHEDULED_TIME, written(scheduled_time)),
    ];
    tags.extend(expiration_time.map(|at| tag(EXPIRATION_TIME, written(at))));
    tags.extend_from_slice(tags_to_add);
    tags
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

/// What opendlm's tags on a snapshot say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// `opendlm:policy-id`, as it stands.
    pub policy_id: Option<String>,
    /// `opendlm:schedule-name`.
    pub schedule_name: Mark<ScheduleName>,
    /// `opendlm:scheduled-time`.
    pub scheduled_time: Mark<Timestamp>,
    /// `opendlm:expiration-time`.
    pub expiration_time: Mark<Timestamp>,
}

/// One tag: anybody may have removed it or written nonsense into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// Reads the tags of a snapshot; those of others are passed over.
    pub fn read<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut marks = Self::default();
        for (key, value) in tags {
            match key {
                POLICY_ID => marks.policy_id = Some(value.to_owned()),
                SCHEDULE_NAME => marks.schedule_name = Mark::parse(value, |text| ScheduleName::parse(text).ok()),
                SCHEDULED_TIME => marks.scheduled_time = Mark::parse(value, |text| text.parse().ok()),
                EXPIRATION_TIME => marks.expiration_time = Mark::parse(value, |text| text.parse().ok()),
                _ => {}
            }
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

/// Whether `snapshot` was made by opendlm for `policy`: tag and immutable description must agree, and it is no copy.
/// That the account owns it is part of how it was asked for (`OwnerIds: self`).
#[must_use]
pub fn ownership(policy: &PolicyId, snapshot: &Snapshot) -> Ownership {
    if snapshot.marks.policy_id.as_deref() != Some(policy.as_str()) {
        Ownership::OtherPolicy
    } else if !snapshot.description.starts_with(&description_prefix(policy)) {
        Ownership::OtherDescription
    } else if snapshot.origin == Origin::Copied {
        Ownership::Copy
    } else {
        Ownership::Ours
    }
}
