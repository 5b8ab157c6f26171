//! The account shapes that a year is simulated in: a policy and what it finds to back up.

use super::ec2::Ec2;
use super::life::{Life, Switched};
use super::random::Random;
use crate::options::{Options, Orphans};
use crate::policy::{
    Age, AgeUnit, CreateRule, DefaultTargets, IntervalHours, Policy, PolicyId, PolicyState, RetainRule, Schedule,
    ScheduleName, StartTime, StartTimeOrigin, Tag, Targets,
};
use crate::world::{AttachedVolume, Instance, InstanceId, InstanceState, Volume, VolumeId, VolumeState};
use jiff::{SignedDuration, Timestamp};
use std::num::NonZeroU32;

/// What kind of policy a year runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Volumes every day, three kept.
    DailyByCount,
    /// Volumes every day, three days kept.
    DailyByAge,
    /// Volumes every twelve hours, two kept, and every day, three kept: at 17:00 both are due.
    TwoSchedules,
    /// Slow volumes, of which EC2 makes one snapshot at a time, every twelve hours, four kept.
    SlowVolumes,
    /// Instances with two volumes every day, two sets kept.
    Instances,
    /// A default policy: every volume of the account, every day, three days kept.
    DefaultPolicy,
    /// Instances without their root volumes and those that are tagged so, every day, two sets kept.
    InstancesInPart,
    /// Instances with two volumes every day, two sets kept; what nothing manages any more expires after two days.
    ExpiringInstances,
}

const SHAPE_COUNT: usize = 8;

/// All of them, in the order in which seeds take them.
pub const SHAPES: [Shape; SHAPE_COUNT] = [
    Shape::DailyByCount,
    Shape::DailyByAge,
    Shape::TwoSchedules,
    Shape::SlowVolumes,
    Shape::Instances,
    Shape::DefaultPolicy,
    Shape::InstancesInPart,
    Shape::ExpiringInstances,
];

impl Shape {
    /// How many there are.
    pub const COUNT: u64 = SHAPE_COUNT as u64;

    /// The shape of a seed: they take turns.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let position = usize::try_from(seed % Self::COUNT).unwrap_or(0);
        SHAPES.get(position).copied().unwrap_or(Self::DailyByCount)
    }

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DailyByCount => "volumes, daily, count 3",
            Self::DailyByAge => "volumes, daily, 3 days",
            Self::TwoSchedules => "volumes, 12 h count 2 + daily count 3",
            Self::SlowVolumes => "st1 volumes, 12 h, count 4",
            Self::Instances => "instances, daily, count 2",
            Self::DefaultPolicy => "default policy, daily, 3 days",
            Self::InstancesInPart => "instances in part, daily, count 2",
            Self::ExpiringInstances => "instances, daily, count 2, EXPIRE 2",
        }
    }

    /// Its policy.
    #[must_use]
    pub fn policy(self) -> Policy {
        let volumes = Targets::Volumes { any_of: vec![target_tag()] };
        let (targets, schedules) = match self {
            Self::DailyByCount => (volumes, vec![schedule("Daily", 24, count(3))]),
            Self::DailyByAge => (volumes, vec![schedule("Daily", 24, days(3))]),
            Self::TwoSchedules => {
                (volumes, vec![schedule("Twice a day", 12, count(2)), schedule("Daily", 24, count(3))])
            }
            Self::SlowVolumes => (volumes, vec![schedule("Twice a day", 12, count(4))]),
            Self::Instances | Self::InstancesInPart | Self::ExpiringInstances => {
                let is_in_part = self == Self::InstancesInPart;
                let targets = Targets::Instances {
                    any_of: vec![target_tag()],
                    exclude_boot_volume: is_in_part,
                    exclude_data_volume_tags: if is_in_part { vec![scratch_tag()] } else { vec![] },
                };
                (targets, vec![schedule("Daily", 24, count(2))])
            }
            Self::DefaultPolicy => {
                let targets = Targets::AllVolumes(DefaultTargets {
                    create_interval_days: NonZeroU32::MIN,
                    exclude_boot_volumes: false,
                    exclude_volume_types: vec![],
                    exclude_tags: vec![],
                    extend_deletion: false,
                });
                let schedule = Schedule { create: CreateRule::OnStart, ..schedule("Default policy", 24, days(3)) };
                (targets, vec![schedule])
            }
        };
        Policy {
            id: PolicyId::parse("policy-0123456789abcdef0").expect("a policy's id"),
            description: "simulated".to_owned(),
            state: PolicyState::Enabled,
            targets,
            schedules,
        }
    }

    /// Its policy with another count for each schedule.
    ///
    /// # Panics
    /// When the count is 0.
    #[must_use]
    pub fn policy_keeping(self, kept: u32) -> Policy {
        let mut policy = self.policy();
        for schedule in &mut policy.schedules {
            schedule.retain = count(kept);
        }
        policy
    }

    /// How long from one start to the next.
    #[must_use]
    pub fn period(self) -> SignedDuration {
        SignedDuration::from_hours(match self {
            Self::DailyByCount
            | Self::DailyByAge
            | Self::Instances
            | Self::DefaultPolicy
            | Self::InstancesInPart
            | Self::ExpiringInstances => 24,
            Self::SlowVolumes | Self::TwoSchedules => 12,
        })
    }

    /// The options of its event.
    #[must_use]
    pub fn options(self) -> Options {
        match self {
            // What is gone matters most where something goes because of it.
            Self::DailyByCount => Options { orphans: Orphans::KeepLast, ..Options::default() },
            Self::ExpiringInstances => Options { orphans: Orphans::Expire(age_of(2)), ..Options::default() },
            Self::DailyByAge
            | Self::TwoSchedules
            | Self::SlowVolumes
            | Self::Instances
            | Self::DefaultPolicy
            | Self::InstancesInPart => Options::default(),
        }
    }

    /// How many volumes or instances its account has at most: few, so that many years fit into a minute.
    pub(super) const SOURCES_MAX: usize = 3;

    /// Whether its policy targets instances.
    #[must_use]
    pub fn is_of_instances(self) -> bool {
        matches!(self, Self::Instances | Self::InstancesInPart | Self::ExpiringInstances)
    }

    /// Whether a set is to hold a snapshot of this volume.
    pub(super) fn includes(self, volume: &AttachedVolume) -> bool {
        self != Self::InstancesInPart || (!volume.is_root && volume.tags.is_empty())
    }

    /// Fills an account with what there is at the beginning.
    pub fn furnish(self, ec2: &mut Ec2, random: &mut Random, at: Timestamp) {
        for _ in 0..=random.below(2) {
            self.add_source(ec2, at, true);
        }
    }

    /// Adds a volume, or an instance with its volumes.
    pub fn add_source(self, ec2: &mut Ec2, at: Timestamp, is_targeted: bool) {
        let mut targeted = Switched::default();
        targeted.switch(at, is_targeted);
        let exists = Switched::on(at);
        if self.is_of_instances() {
            let number = u32::try_from(ec2.instances.len()).unwrap_or(u32::MAX) + 1;
            let attached = self.attached(number);
            for volume in &attached {
                // No policy for instances targets a volume.
                let (is, exists) = (volume_of_type(volume.id, "gp3", at), exists.clone());
                ec2.volumes.push(Life { is, exists, targeted: Switched::default() });
            }
            ec2.instances.push(Life { is: instance(number, attached), exists, targeted });
        } else {
            let number = u32::try_from(ec2.volumes.len()).unwrap_or(u32::MAX) + 1;
            let volume_type = if self == Self::SlowVolumes { "st1" } else { "gp3" };
            let is = volume_of_type(volume_id(number), volume_type, at);
            // A default policy has no target tag.
            let targeted = if self == Self::DefaultPolicy { exists.clone() } else { targeted };
            ec2.volumes.push(Life { is, exists, targeted });
        }
    }

    /// The volumes of the instance of this number: a root and a data volume, and where only part of them counts one more of either
    /// sort that does and does not.
    fn attached(self, number: u32) -> Vec<AttachedVolume> {
        let data = |place, tags| AttachedVolume { id: volume_id(VOLUMES_MAX * number + place), is_root: false, tags };
        let mut attached = vec![root(number), data(1, vec![])];
        if self == Self::InstancesInPart {
            attached.extend([data(2, vec![]), data(3, vec![scratch_tag()])]);
        }
        attached
    }

    /// An instance is replaced by another one, to which its data volume goes.
    pub fn replace_instance(ec2: &mut Ec2, data: VolumeId, at: Timestamp) {
        let number = u32::try_from(ec2.instances.len()).unwrap_or(u32::MAX) + 1;
        let root = root(number);
        let (is, exists) = (volume_of_type(root.id, "gp3", at), Switched::on(at));
        ec2.volumes.push(Life { is, exists: exists.clone(), targeted: Switched::default() });
        let attached = vec![root, AttachedVolume { id: data, is_root: false, tags: vec![] }];
        ec2.instances.push(Life { is: instance(number, attached), exists: exists.clone(), targeted: exists });
    }
}

/// How many volumes an instance has at most.
const VOLUMES_MAX: u32 = 4;

fn root(number: u32) -> AttachedVolume {
    AttachedVolume { id: volume_id(VOLUMES_MAX * number), is_root: true, tags: vec![] }
}

fn instance(number: u32, volumes: Vec<AttachedVolume>) -> Instance {
    let id = InstanceId::parse(&format!("i-{number:017x}")).expect("a hexadecimal number is an id");
    Instance { id, state: InstanceState::Running, volumes }
}

fn volume_of_type(id: VolumeId, volume_type: &str, created: Timestamp) -> Volume {
    Volume {
        id,
        state: VolumeState::InUse,
        created: Some(created),
        tags: vec![],
        volume_type: volume_type.to_owned(),
        is_boot: false,
        last_snapshot: None,
    }
}

pub(super) fn volume_id(number: u32) -> VolumeId {
    VolumeId::parse(&format!("vol-{number:017x}")).expect("a hexadecimal number is an id")
}

fn target_tag() -> Tag {
    Tag { key: "auto-backup".to_owned(), value: "dlm".to_owned() }
}

/// What a volume carries that is left out.
fn scratch_tag() -> Tag {
    Tag { key: "scratch".to_owned(), value: "yes".to_owned() }
}

pub(super) fn schedule(name: &str, hours: u8, retain: RetainRule) -> Schedule {
    let at = StartTime { minute_of_day: 17 * 60, origin: StartTimeOrigin::Given };
    let hours = IntervalHours::new(hours).expect("an interval that DLM knows");
    Schedule {
        name: ScheduleName::parse(name).expect("a schedule's name"),
        create: CreateRule::Interval { hours, at },
        retain,
        copy_tags: false,
        tags_to_add: vec![],
        variable_tags: vec![],
        copies: vec![],
    }
}

fn count(count: u32) -> RetainRule {
    RetainRule::Count(NonZeroU32::new(count).expect("a count of at least one"))
}

pub(super) fn days(days: u32) -> RetainRule {
    RetainRule::Age(age_of(days))
}

fn age_of(days: u32) -> Age {
    Age { interval: NonZeroU32::new(days).expect("at least one day"), unit: AgeUnit::Days }
}
