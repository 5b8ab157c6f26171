//! A policy and its parts, as values that cannot be wrong.
//!
//! Only `policy/decode.rs` makes them, so whoever holds a [`Policy`] need not check it again. What Amazon DLM's
//! schema knows and opendlm does not carry out yet has no place here: decode checks it and refuses it by name.

mod copy;
pub mod decode;
pub mod ids;

use crate::schedule::cron::CronExpression;
pub use copy::{CopyRule, KeyArn};
pub use ids::{PolicyId, ScheduleName};
use std::num::NonZeroU32;

/// A lifecycle policy: which resources it targets, when it makes snapshots of them and which ones it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The identity that ties snapshots to the policy, in a tag and in their description.
    pub id: PolicyId,
    /// What the policy is for, in its author's words.
    pub description: String,
    /// Whether the policy does anything at all.
    pub state: PolicyState,
    /// What the policy makes snapshots of.
    pub targets: Targets,
    /// One to four schedules, with distinct names (DLM: `Schedules`, 1..4).
    pub schedules: Vec<Schedule>,
}

impl Policy {
    /// The schedule that is called `name` today.
    #[must_use]
    pub fn schedule(&self, name: &ScheduleName) -> Option<&Schedule> {
        self.schedules.iter().find(|schedule| schedule.name == *name)
    }
}

/// Whether a policy acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyState {
    /// Neither creates nor deletes. DLM's `ERROR` reads as this: such a policy does nothing until it is enabled again.
    Disabled,
    /// Creates and deletes.
    Enabled,
}

/// What a policy makes snapshots of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Every volume that has no recent snapshot by any means: a default policy (DLM: `PolicyLanguage` SIMPLIFIED).
    AllVolumes(DefaultTargets),
    /// Every instance that has at least one of these tags, with the volumes that are attached to it at the time.
    Instances {
        /// One to fifty tags.
        any_of: Vec<Tag>,
        /// `Parameters.ExcludeBootVolume`: the root volume is left out.
        exclude_boot_volume: bool,
        /// `Parameters.ExcludeDataVolumeTags`: data volumes with any of these tags are left out.
        exclude_data_volume_tags: Vec<Tag>,
    },
    /// Every volume that has at least one of these tags (DLM user guide: one matching key and value is enough; both
    /// are case sensitive).
    Volumes {
        /// One to fifty tags (DLM: `TargetTags`, 1..50).
        any_of: Vec<Tag>,
    },
}

/// What a default policy targets: every volume of the Region but those that are excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultTargets {
    /// `CreateInterval`: a volume with a snapshot of the last so many days gets none (1 to 7).
    pub create_interval_days: NonZeroU32,
    /// `Exclusions.ExcludeBootVolumes`.
    pub exclude_boot_volumes: bool,
    /// `Exclusions.ExcludeVolumeTypes`, such as `st1`.
    pub exclude_volume_types: Vec<String>,
    /// `Exclusions.ExcludeTags`: volumes with any of these tags are left out.
    pub exclude_tags: Vec<Tag>,
    /// `ExtendDeletion`: the last snapshot of a volume that is gone expires too, and expiry goes on while the policy
    /// is disabled.
    pub extend_deletion: bool,
}

/// A tag as EC2 has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The tag's key, case sensitive.
    pub key: String,
    /// The tag's value, case sensitive, maybe empty.
    pub value: String,
}

/// When snapshots are made, what they carry and how long they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The schedule's name, unique in its policy.
    pub name: ScheduleName,
    /// When snapshots are made.
    pub create: CreateRule,
    /// Which snapshots stay.
    pub retain: RetainRule,
    /// Whether snapshots get the user tags of their source volume (DLM: `CopyTags`).
    pub copy_tags: bool,
    /// Tags that every snapshot of the schedule gets besides opendlm's own (DLM: `TagsToAdd`, 0..45).
    pub tags_to_add: Vec<Tag>,
    /// Tags whose values are filled in for each instance and run (DLM: `VariableTags`, 0..45).
    pub variable_tags: Vec<VariableTag>,
    /// The copies that each snapshot gets in other Regions, one for each (DLM: `CrossRegionCopyRules`, 0..3).
    pub copies: Vec<CopyRule>,
}

/// A tag whose value is filled in when a snapshot is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableTag {
    /// The tag's key.
    pub key: String,
    /// What its value becomes.
    pub value: Variable,
}

/// What a variable tag is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `$(instance-id)`: the instance that the snapshots are made of.
    InstanceId,
    /// `$(timestamp)`: the scheduled time, RFC 3339 (DLM: "the date and time of the policy run", in no stated form).
    Timestamp,
}

/// The scheduled times of a schedule, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateRule {
    /// The times that an EventBridge cron expression names.
    Cron(CronExpression),
    /// Every `hours` hours, at the same clock times every day: `at` and each multiple of `hours` after it.
    Interval {
        /// 1, 2, 3, 4, 6, 8, 12 or 24: all of them divide the day.
        hours: IntervalHours,
        /// One of the clock times.
        at: StartTime,
    },
    /// Whenever the function is started: a default policy, whose targets say who needs a snapshot.
    OnStart,
}

/// How often an interval schedule runs (DLM: `CreateRule.Interval`; the values that it documents).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntervalHours(u8);

impl IntervalHours {
    /// The values that Amazon DLM documents: the divisors of 24 it supports.
    pub const ALLOWED: [u8; 8] = [1, 2, 3, 4, 6, 8, 12, 24];

    /// `None` unless `hours` is one of [`Self::ALLOWED`].
    #[must_use]
    pub fn new(hours: u8) -> Option<Self> {
        Self::ALLOWED.contains(&hours).then_some(Self(hours))
    }

    /// The number of hours, 1 to 24.
    #[must_use]
    pub fn hours(self) -> u8 {
        self.0
    }
}

/// The clock time that an interval schedule counts from, and who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartTime {
    /// Minutes after midnight UTC, 0 to 1439.
    pub minute_of_day: u16,
    /// Who chose it.
    pub origin: StartTimeOrigin,
}

impl StartTime {
    /// The stable time for a schedule without `Times`, from the policy's id and the schedule's name.
    ///
    /// DLM draws a time once and writes it into the policy; opendlm has nowhere to write, so it derives one that is
    /// the same at every turn and spreads schedules over the day. FNV-1a, because its result is fixed by its
    /// definition and not by a library's version.
    #[must_use]
    pub fn derived(policy: &PolicyId, schedule: &ScheduleName) -> Self {
        let hash = fnv1a(policy.as_str().bytes().chain([0]).chain(schedule.as_str().bytes()));
        let minute_of_day = u16::try_from(hash % 1440).expect("a remainder of 1440 fits 16 bits");
        Self { minute_of_day, origin: StartTimeOrigin::Derived }
    }
}

/// FNV-1a, 64 bits: a hash whose result its definition fixes for ever.
pub(crate) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Who chose the clock time of an interval schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTimeOrigin {
    /// `Times` was omitted: opendlm derived a stable time.
    Derived,
    /// The policy's `Times`.
    Given,
}

/// Which snapshots of a schedule stay, for each volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetainRule {
    /// Until the expiry that is stamped on each one when it is made.
    Age(Age),
    /// The newest so many (DLM: `RetainRule.Count`, 1..1000).
    Count(NonZeroU32),
}

/// A length of time in calendar units, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    /// How many units.
    pub interval: NonZeroU32,
    /// Of what.
    pub unit: AgeUnit,
}

/// The calendar unit of an [`Age`] (DLM: `IntervalUnit` of a retain rule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeUnit {
    /// 24 hours.
    Days,
    /// Seven days.
    Weeks,
    /// Calendar months: a month after 31 January is the last day of February.
    Months,
    /// Calendar years.
    Years,
}
