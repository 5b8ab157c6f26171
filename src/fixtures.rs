//! Small policies, snapshots and instants, for the tests of every room.

use crate::options::{Options, Start, StartOrigin};
use crate::policy::{
    Age, AgeUnit, CreateRule, DefaultTargets, IntervalHours, Policy, PolicyId, PolicyState, RetainRule, Schedule,
    ScheduleName, StartTime, StartTimeOrigin, Tag, Targets,
};
use crate::tags::{self, Marks};
use crate::world::{
    AttachedVolume, Closer, Instance, InstanceId, InstanceState, Origin, Snapshot, SnapshotId, SnapshotState, SourceId,
    Tier, Volume, VolumeId, VolumeState, World,
};
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
        copy_tags: false,
        tags_to_add: vec![tag("ss-lifecycle", "true")],
        variable_tags: vec![],
        copies: vec![],
    }
}

/// A schedule by a cron expression.
pub(crate) fn by_cron(schedule_name: &str, expression: &str, retain: RetainRule) -> Schedule {
    let create = crate::policy::CreateRule::Cron(crate::schedule::cron::CronExpression::parse(expression).unwrap());
    Schedule { create, ..daily(schedule_name, retain) }
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
    Volume {
        id: volume_id(number),
        state: VolumeState::InUse,
        created: None,
        tags: vec![],
        volume_type: "gp3".to_owned(),
        is_boot: false,
        last_snapshot: None,
    }
}

pub(crate) fn volume_id(number: u32) -> VolumeId {
    VolumeId::parse(&format!("vol-{number:017x}")).unwrap()
}

/// A complete snapshot of ours: number, volume, and the scheduled time of "Default Schedule" that it answers.
pub(crate) fn snapshot(number: u32, volume: u32, scheduled_time: &str) -> Snapshot {
    let scheduled_time = at(scheduled_time);
    let schedule = name("Default Schedule");
    Snapshot {
        id: SnapshotId::parse(&format!("snap-{number:017x}")).unwrap(),
        volume_id: volume_id(volume),
        description: tags::description(&policy_id(), &schedule).into(),
        state: SnapshotState::Completed,
        state_message: None,
        start_time: scheduled_time,
        completed_at: None,
        origin: Origin::Created,
        marks: Marks {
            policy_id: Some(policy_id().as_str().into()),
            schedule_name: tags::Mark::Read(schedule),
            scheduled_time: tags::Mark::Read(scheduled_time),
            ..Marks::default()
        }
        .into(),
        tier: Tier::Standard,
        full_size_bytes: 1 << 30,
    }
}

impl Snapshot {
    pub(crate) fn in_state(mut self, state: SnapshotState) -> Self {
        self.state = state;
        self
    }

    pub(crate) fn pending(self) -> Self {
        self.in_state(SnapshotState::Pending)
    }

    pub(crate) fn of_schedule(mut self, schedule_name: &str) -> Self {
        self.marks.schedule_name = tags::Mark::Read(name(schedule_name));
        self.description = tags::description(&policy_id(), &name(schedule_name)).into();
        self
    }

    pub(crate) fn of_instance(mut self, number: u32) -> Self {
        self.marks.instance_id = tags::Mark::Read(instance_id(number));
        self
    }

    pub(crate) fn held(mut self, value: &str) -> Self {
        self.marks.hold = Some(tags::Hold::parse(value));
        self
    }

    /// With a stamp that fits, as opendlm 0.2 writes it: the counts in force of the schedules that it is for.
    pub(crate) fn stamped(mut self, counts: &[u32]) -> Self {
        self.marks.stamp = tags::Mark::Read(tags::Stamp {
            is_intact: true,
            called: self.start_time,
            counts: counts.iter().map(|&count| NonZeroU32::new(count)).collect(),
            members: None,
            revision: None,
            is_run_now: false,
        });
        self
    }

    /// With something else in its stamp.
    pub(crate) fn with_stamp(mut self, change: impl FnOnce(&mut tags::Stamp)) -> Self {
        if let tags::Mark::Read(stamp) = &mut self.marks.stamp {
            change(stamp);
        }
        self
    }

    /// For these schedules as well as for its own.
    pub(crate) fn also_of(mut self, names: &[&str]) -> Self {
        self.marks.also = tags::Mark::Read(names.iter().map(|text| name(text)).collect());
        self
    }

    pub(crate) fn expiring(mut self, expiration_time: &str) -> Self {
        self.marks.expiration_time = tags::Mark::Read(at(expiration_time));
        self
    }
}

/// An instance with a root volume and data volumes, given by their numbers.
pub(crate) fn instance(number: u32, root: u32, data: impl IntoIterator<Item = u32>) -> Instance {
    let attached = |number, is_root| AttachedVolume { id: volume_id(number), is_root, tags: vec![] };
    let data = data.into_iter().map(|number| attached(number, false));
    Instance {
        id: instance_id(number),
        state: InstanceState::Running,
        volumes: std::iter::once(attached(root, true)).chain(data).collect(),
    }
}

pub(crate) fn instance_id(number: u32) -> InstanceId {
    InstanceId::parse(&format!("i-{number:017x}")).unwrap()
}

/// A policy for instances with one daily schedule.
pub(crate) fn instance_policy(retain: RetainRule) -> Policy {
    let targets = Targets::Instances {
        any_of: vec![tag("auto-backup", "dlm")],
        exclude_boot_volume: false,
        exclude_data_volume_tags: vec![],
    };
    Policy { targets, ..policy(vec![daily("Default Schedule", retain)]) }
}

///
/// EC2 has said of everything that the snapshots were made of and that a test adds in no other way that it is gone, and that
/// no AMI uses them.
pub(crate) fn world(volumes: impl IntoIterator<Item = Volume>, snapshots: impl IntoIterator<Item = Snapshot>) -> World {
    let snapshots: Vec<Snapshot> = snapshots.into_iter().collect();
    let gone = snapshots.iter().flat_map(|snapshot| {
        let instance = snapshot.marks.instance_id.value().copied().map(SourceId::Instance);
        instance.into_iter().chain([SourceId::Volume(snapshot.volume_id)])
    });
    let closer = Closer { gone: gone.collect(), images_asked: true, ..Closer::default() };
    World { volumes: volumes.into_iter().collect(), snapshots, closer, ..World::default() }
}

/// A start that the event names, whose first turn is at the same instant.
pub(crate) fn start(at_text: &str) -> Start {
    Start { at: at(at_text), origin: StartOrigin::Event, begun: at(at_text), came_back: false }
}

pub(crate) fn run_now() -> Options {
    Options { run_now: true, ..Options::default() }
}

/// A default policy that makes and keeps by days.
pub(crate) fn default_policy(create_interval_days: u32, retain_interval_days: u32) -> Policy {
    let targets = Targets::AllVolumes(DefaultTargets {
        create_interval_days: NonZeroU32::new(create_interval_days).unwrap(),
        exclude_boot_volumes: false,
        exclude_volume_types: vec![],
        exclude_tags: vec![],
        extend_deletion: false,
    });
    let schedule = Schedule { create: CreateRule::OnStart, ..daily("Default policy", days(retain_interval_days)) };
    Policy { targets, ..policy(vec![schedule]) }
}
