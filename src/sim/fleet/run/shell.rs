//! What the shell could do otherwise, what a run meets, and what it came to.

use super::{OLD_SNAPSHOTS, PAGE, PAGE_ITEMS_MAX};
use crate::action::{Action, Outcome};
use crate::pace::{Api, ByApi, Share};
use crate::turn::{RunOutcome, Status};
use jiff::SignedDuration;

/// How the shell works: each field is a choice that could be made otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shell {
    /// The function's timeout, in seconds.
    pub timeout_seconds: i64,
    /// How long after its look a turn is over, in seconds, as if the function's time were: a short turn sees sooner what is
    /// complete. It holds the two times below as well.
    pub work_seconds_max: i64,
    /// How long before the end of the function's time the last creation may start, in seconds.
    pub creation_seconds_max: i64,
    /// How long before the end of the function's time the last deletion may start, in seconds.
    pub deletion_seconds_max: i64,
    /// The function's memory, in MB, as Lambda says it: whether two listings find room.
    pub memory_mb: u32,
    /// The longest wait after a turn that deleted something, in seconds.
    pub wait_after_deletions_seconds_max: u32,
}

/// What a run meets in EC2, and what it was told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// How many thousandths of what flows into each bucket others take.
    pub others_thousandths: u16,
    /// `Options.ApiShare`.
    pub share: Share,
    /// How many snapshots may be pending at once, which nobody tells.
    pub pending_max: Option<usize>,
    /// How long a page of a listing takes to come.
    pub page: SignedDuration,
}

/// How a simulated run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A look took longer than the function's time.
    CutOff,
    /// As the core says.
    Done(RunOutcome),
}

/// How often EC2 was called, throttled calls included; of what lists each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls(pub ByApi<u64>);

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub outcome: Ended,
    /// How long after the scheduled time the last snapshot was begun.
    pub created_after: SignedDuration,
    /// How long after the scheduled time the execution was over.
    pub done_after: SignedDuration,
    /// How many calls EC2 throttled.
    pub throttled: u64,
    /// How many calls it took.
    pub calls: Calls,
    /// How many snapshots are left.
    pub held: usize,
    /// How many turns it took.
    pub turns: u32,
    /// How often the function was invoked.
    pub invocations: u32,
    /// The time of all invocations, the starts of the process aside.
    pub invoked: SignedDuration,
    /// State transitions of Step Functions.
    pub transitions: u32,
}

impl Shell {
    /// The shell as it is: the timeout and the memory of template.yaml, and of `aws/apply.rs` CREATE_SECONDS_MAX and
    /// DELETE_SECONDS_MIN, and of `turn/look.rs` WORK.
    pub const TODAY: Self = Self {
        timeout_seconds: 900,
        work_seconds_max: 200,
        memory_mb: 256,
        creation_seconds_max: 15,
        deletion_seconds_max: 5,
        wait_after_deletions_seconds_max: 60,
    };

    /// The wait that the core says, or the longest after a turn that deleted something.
    pub(super) fn shortened(&self, status: Status, done: &[(Action, Outcome)]) -> Status {
        match status {
            Status::Waiting { seconds } if done.iter().any(|(_, outcome)| matches!(outcome, Outcome::Deleted)) => {
                Status::Waiting { seconds: seconds.min(self.wait_after_deletions_seconds_max) }
            }
            Status::Done(_) | Status::Waiting { .. } => status,
        }
    }
}

impl Conditions {
    /// Nobody else calls, and there is no hidden limit.
    pub const ALONE: Self = Self { others_thousandths: 0, share: Share::ALL, pending_max: None, page: PAGE };
}

impl Calls {
    /// The fewest calls that a run can do its work with, where tags are the only state: a creation and a deletion for each
    /// volume, one listing of the volumes, one that finds the new snapshots complete, and one of all snapshots.
    #[must_use]
    pub fn minimum(volumes: u32) -> Self {
        let pages = |items: u64| items.div_ceil(u64::try_from(PAGE_ITEMS_MAX).unwrap_or(u64::MAX));
        let volumes = u64::from(volumes);
        Self(ByApi::of(|api| match api {
            Api::CreateSnapshot | Api::DeleteSnapshot => volumes,
            Api::DescribeSnapshots => pages(volumes) + pages(u64::from(OLD_SNAPSHOTS + 1) * volumes),
            Api::DescribeVolumes => pages(volumes),
            Api::CopySnapshot | Api::CreateSnapshots | Api::DescribeInstances => 0,
        }))
    }

    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        self.0.iter().map(|(_, calls)| calls).sum()
    }
}
