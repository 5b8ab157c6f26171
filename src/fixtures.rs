//! Small policies, snapshots and instants, for the tests of every room.

use crate::options::{Options, Start, StartOrigin};
use crate::policy::{
    Age, AgeUnit, CreateRule, IntervalHours, Policy, PolicyId, PolicyState, RetainRule, Schedule, ScheduleName,
    StartTime, StartTimeOrigin, Tag, Targets,
};
use crate::tags::{self, Marks};
use crate::world::{Origin, Snapshot, SnapshotId, SnapshotState, Volume, VolumeId, VolumeState, World};
use jiff::Timestamp;
use std::num::NonZeroU32;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> ScheduleName {
    ScheduleName::parse(text).unwrap()
}

pub(crate) fn policy_id() -> PolicyId {
    PolicyId::parse("policy-0123456789abcdef0").unwrap()
}

/// The sample policy: every day at 17:00 UTC, keep 3.
pub(crate) fn sample() -> Policy {
    policy(vec![daily("Default Schedule", count(3))])
}

pub(crate) fn policy(schedules: Vec<Schedule>) -> Policy {
    Policy {
        id: policy_id(),
        description: "Daily snapshots".to_owned(),
        state: PolicyState::Enabled,
        targets: Targets::Volumes { any_of: vec![tag("auto-backup", "dlm")] },
        schedules,
    }
}

pub(crate) fn daily(schedule_name: &str, retain: RetainRule) -> Schedule {
    every(24, schedule_name, retain)
}

/// Every so many hours, counted from 17:00 UTC.
pub(crate) fn every(hours: u8, schedule_name: &str, retain: RetainRule) -> Schedule {
    let at = StartTime { minute_of_day: 17 * 60, origin: StartTimeOrigin::Given };
    Schedule {
        name: name(schedule_name),
        create: CreateRule::Interval { hours: IntervalHours::new(hours).unwrap(), at },
        retain,
        tags_to_add: vec![tag("ss-lifecycle", "true")],
    }
}

pub(crate) fn count(count: u32) -> RetainRule {
    RetainRule::Count(NonZeroU32::new(count).unwrap())
}

pub(crate) fn days(days: u32) -> RetainRule {
    age(days, AgeUnit::Days)
}

pub(crate) fn age(interval: u32, unit: AgeUnit) -> RetainRule {
    RetainRule::Age(Age { interval: NonZeroU32::new(interval).unwrap(), unit })
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

pub(crate) fn volume(number: u32) -> Volume {
    Volume { id: volume_id(number), state: VolumeState::InUse, created: None }
}

pub(crate) fn volume_id(number: u32) -> VolumeId {
    VolumeId::parse(&format!("vol-{number:017x}")).unwrap()
}

/// A complete snapshot of ours: number, volume, and the scheduled time of "Default Schedule" that it answers.
pub(crate) fn snapshot(number: u32, volume: u32, scheduled_time: &str) -> Snapshot {
    let scheduled_time = at(scheduled_time);
    let schedule = name("Default Schedule");
    let tags = tags::of_new_snapshot(&policy_id(), &schedule, scheduled_time, None, &[]);
    Snapshot {
        id: SnapshotId::parse(&format!("snap-{number:017x}")).unwrap(),
        volume_id: volume_id(volume),
        description: tags::description(&policy_id(), &schedule).into(),
        state: SnapshotState::Completed,
        start_time: scheduled_time,
        origin: Origin::Created,
        marks: Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))),
    }
}

impl Snapshot {
    pub(crate) fn in_state(mut self, state: SnapshotState) -> Self {
        self.state = state;
        self
    }

    pub(crate) fn pending(self) -> Self {
        self.in_state(SnapshotState::Pending { progress_percent: 10 })
    }

    pub(crate) fn of_schedule(mut self, schedule_name: &str) -> Self {
        self.marks.schedule_name = tags::Mark::Read(name(schedule_name));
        self.description = tags::description(&policy_id(), &name(schedule_name)).into();
        self
    }

    pub(crate) fn expiring(mut self, expiration_time: &str) -> Self {
        self.marks.expiration_time = tags::Mark::Read(at(expiration_time));
        self
    }
}

pub(crate) fn world(volumes: impl IntoIterator<Item = Volume>, snapshots: impl IntoIterator<Item = Snapshot>) -> World {
    World { volumes: volumes.into_iter().collect(), snapshots: snapshots.into_iter().collect(), ..World::default() }
}

/// A start that the event names, whose first turn is at the same instant.
pub(crate) fn start(at_text: &str) -> Start {
    Start { at: at(at_text), origin: StartOrigin::Event, begun: at(at_text) }
}

pub(crate) fn run_now() -> Options {
    Options { run_now: true, ..Options::default() }
}
