//! Large accounts for measurements: so many volumes, each with a week of daily snapshots.
//!
//! [`world`] is such an account at one moment; [`run`](mod@run) drives whole runs of it through EC2's limits.

mod calls;
mod ec2;
mod held;
mod look;
pub mod run;

use super::shape::{Shape, volume_id};
use crate::policy::{Policy, Schedule};
use crate::tags::{self, Sharing};
use crate::world::{Origin, Snapshot, SnapshotId, SnapshotState, Tier, Volume, VolumeState, World};
use jiff::{SignedDuration, Timestamp};

/// How many snapshots of a volume are there before the run.
pub const OLD_SNAPSHOTS: u32 = 7;

/// The blocks of each snapshot: 8 GiB, as of a small root volume. Nothing depends on it.
const FULL_SIZE_BYTES: u64 = 8 << 30;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is made yet.
    Begun,
    /// Every volume has its new snapshot, and all of them are under way.
    UnderWay,
    /// Every new snapshot is complete.
    Complete,
}

/// The policy of all fleets: volumes every day at 17:00 UTC, seven kept.
#[must_use]
pub fn policy() -> Policy {
    Shape::DailyByCount.policy_keeping(OLD_SNAPSHOTS)
}

/// An account of so many volumes at `stage` of the run for `start`.
///
/// # Panics
/// When a scheduled time is out of range, which no start of our days is.
#[must_use]
pub fn world(policy: &Policy, volumes: u32, start: Timestamp, stage: Stage) -> World {
    let mut sharing = Sharing::default();
    let newest = if stage == Stage::Begun { 1 } else { 0 };
    let mut snapshots = Vec::new();
    for day in newest..=OLD_SNAPSHOTS {
        let scheduled_time = start - SignedDuration::from_hours(24 * i64::from(day));
        let state = match (stage, day) {
            (Stage::UnderWay, 0) => SnapshotState::Pending,
            (Stage::Begun | Stage::Complete | Stage::UnderWay, _) => SnapshotState::Completed,
        };
        for schedule in &policy.schedules {
            let first = day * volumes;
            let number_of = |volume| (volume, first + volume);
            snapshots.extend(
                (0..volumes)
                    .map(number_of)
                    .map(|numbers| snapshot(policy, schedule, numbers, scheduled_time, state.clone(), &mut sharing)),
            );
        }
    }
    World { volumes: (0..volumes).map(volume).collect(), snapshots, ..World::default() }
}

fn volume(number: u32) -> Volume {
    Volume {
        id: volume_id(scattered(number)),
        state: VolumeState::InUse,
        created: None,
        tags: Vec::new(),
        volume_type: "gp3".to_owned(),
        is_boot: false,
        last_snapshot: None,
    }
}

fn snapshot(
    policy: &Policy,
    schedule: &Schedule,
    (volume, number): (u32, u32),
    scheduled_time: Timestamp,
    state: SnapshotState,
    sharing: &mut Sharing,
) -> Snapshot {
    let written = tags::written(scheduled_time);
    let tags = [
        (tags::POLICY_ID, policy.id.as_str()),
        (tags::SCHEDULE_NAME, schedule.name.as_str()),
        (tags::SCHEDULED_TIME, written.as_str()),
    ];
    Snapshot {
        id: snapshot_id(number),
        volume_id: volume_id(scattered(volume)),
        description: sharing.text(&tags::description(&policy.id, &schedule.name)),
        state,
        state_message: None,
        start_time: scheduled_time + SignedDuration::from_secs(20),
        completed_at: None,
        origin: Origin::Created,
        marks: sharing.marks(tags),
        tier: Tier::Standard,
        full_size_bytes: FULL_SIZE_BYTES,
    }
}

fn snapshot_id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{:017x}", scattered(number))).expect("a hexadecimal number is an id")
}

/// EC2's ids are in no order. An odd factor maps each number to another one.
fn scattered(number: u32) -> u32 {
    number.wrapping_mul(2_654_435_761)
}
