//! What opendlm offers beyond Amazon DLM's policy, each with its default.

use crate::pace::Share;
use crate::place::{ListObject, OneOf, Place, Region};
use crate::policy::{Age, AgeUnit, Policy, ScheduleName, Targets};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The options of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `AcceptCount`: the lowered count of a schedule that a person has agreed to: what the schedule kept by its count of then
    /// goes only with this consent, for exactly this count. Default: none.
    pub accept_count: BTreeMap<ScheduleName, NonZeroU32>,
    /// `AgeWithoutNewBackups`: age retention goes on for a volume whose backups have stopped, as with DLM. Default:
    /// false, when backups stop nothing ages away.
    pub age_without_new_backups: bool,
    /// `ApiShare`: which part of EC2's request limits a run takes at most; the rest is left to the account's other tools.
    /// Default: 100 per cent, because most of the time nobody else makes or deletes snapshots.
    pub api_share: Share,
    /// The Regions that the stack may copy to: each is looked at, whether a rule names it or not. Not part of an event: from the
    /// function's environment.
    pub copy_regions: Vec<Region>,
    /// `DryRun`: decide and report, change nothing. Default: false.
    pub dry_run: bool,
    /// `MaximumDeletions`: a run that would delete more stops before its first deletion. Default: see
    /// [`MaximumDeletions::Default`].
    pub maximum_deletions: MaximumDeletions,
    /// `MinimumKept`: so many complete snapshots of a volume stay beside every rule. Default: 1.
    pub minimum_kept: usize,
    /// `Orphans`: what happens to snapshots that no schedule owns any more, and to those of volumes that are gone.
    /// Default: `KEEP`.
    pub orphans: Orphans,
    /// `PreviousNames`: names that a schedule had before, so that what it made under them stays in rotation.
    /// Default: none.
    pub previous_names: BTreeMap<ScheduleName, Vec<ScheduleName>>,
    /// `RunNow`: every schedule of the policy is due, with the start itself as scheduled time. Default: false.
    pub run_now: bool,
    /// `RunNowRetain`: how long the snapshots of such a run stay, which are in no schedule's series. Default: 7 days.
    pub run_now_retain: Age,
    /// The revision of the policy that the event carries beside it; `None` where it has none. Which of two deployed versions is
    /// the newer one is told by it.
    pub revision: Option<Timestamp>,
    /// How long EC2 may not show yet what was begun: for so long nothing is concluded from what is missing. It only
    /// postpones. Not part of an event: a property of the endpoint, from the function's environment.
    pub settling: SignedDuration,
    /// `StartWindowMinutes`: how long after a scheduled time its snapshots may still be begun. Default: 60, as DLM.
    pub start_window: SignedDuration,
    /// `Stopped`: whether a run fails where backups are missing that were due. Default: `FAIL`.
    pub stopped: WhenStopped,
    /// `Target`: the account and Region that this run works in. Default: those of the function.
    pub target: Option<Place>,
    /// `Target.Number` and `Target.Of`, which no user writes: this run is for one of the targets of a run that was split, and
    /// answers to the execution that sums them up. Default: the run is a whole one.
    pub one_of: Option<OneOf>,
    /// `Targets`: every account and Region that the policy is carried out in, each by a run of its own. Default: none, the
    /// run is one.
    pub targets: Vec<Place>,
    /// `TargetsFrom`: the list in S3 that `targets` come from; before it was read there are none. Default: none.
    pub targets_from: Option<ListObject>,
}

/// How many deletions a run may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaximumDeletions {
    /// 100, or 2 for each volume that holds ours, whichever is more: the ordinary one out for one in never meets it.
    Default,
    /// So many.
    Number(usize),
    /// So many per cent of the snapshots that are ours, rounded down.
    PerCent(u8),
}

/// What a run does about backups that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStopped {
    /// `FAIL`: it ends PARTIAL, so that alarms fire.
    Fail,
    /// `TELL`: its report says so.
    Tell,
}

/// What happens to snapshots of ours that nothing manages any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphans {
    /// `EXPIRE`: they go when they are older than this, the last one too.
    Expire(Age),
    /// `KEEP`: they stay, as with DLM; by age, those of volumes that are gone expire as stamped, all but the newest.
    Keep,
    /// `KEEP_LAST`: the newest complete one of each volume and schedule stays.
    KeepLast,
}

impl Options {
    /// DLM user guide: "snapshot creation starts within one hour of the scheduled time".
    pub const START_WINDOW_DEFAULT: SignedDuration = SignedDuration::from_mins(60);
    /// The longest that EC2's lists lag behind its writes, and by how much the clocks of two turns, or of a turn and EC2,
    /// may differ, added up. Our own: AWS promises no bound for "eventually consistent" and advises to look again for a
    /// few minutes at most; a minute of each is what the simulator lies by, far more than anybody has reported.
    pub const SETTLING_DEFAULT: SignedDuration = SignedDuration::from_secs(120);
    /// Long enough to look at what was made before a change, and a bound to what it costs. Our own.
    pub const RUN_NOW_RETAIN_DEFAULT: Age =
        Age { interval: NonZeroU32::new(7).expect("seven is not zero"), unit: AgeUnit::Days };
    /// More than AWS's few minutes; beyond it every run would take longer than its snapshots.
    pub const SETTLING_SECONDS_MAX: u32 = 900;
    /// What says otherwise for an endpoint that shows at once what was begun, in seconds.
    pub const SETTLING_SECONDS: &str = "OPENDLM_SETTLING_SECONDS";
    /// The Regions that the stack may copy to, with commas between them.
    pub const COPY_REGIONS: &str = "OPENDLM_COPY_REGIONS";
    /// Looks go on beside each other, and each takes its share of a small function's memory. Our own.
    pub const COPY_REGIONS_MAX: usize = 20;
    /// A day: a longer window would reach the next scheduled time of most schedules.
    pub const START_WINDOW_MINUTES_MAX: u32 = 1440;
    /// A schedule can hardly have had more names; our own bound.
    pub const PREVIOUS_NAMES_MAX: usize = 50;
    /// DLM's own limit of a count.
    pub const MINIMUM_KEPT_MAX: u32 = 1000;
    /// More than EC2's bucket lets through in two weeks.
    pub const MAXIMUM_DELETIONS_MAX: u32 = 10_000_000;
}

impl Options {
    /// Whether there is to be a run for each of several targets.
    #[must_use]
    pub fn has_several_targets(&self) -> bool {
        !self.targets.is_empty() || self.targets_from.is_some()
    }

    /// Whether the run is for one of several targets of a run that was split.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.one_of.is_some()
    }

    /// Whether what a run makes is a RunNow's own: it is marked so, is in no series, and answers no scheduled time. The RunNow
    /// of a default policy is an ordinary start: each of its snapshots goes by the policy's RetainInterval anyhow.
    #[must_use]
    pub fn marks_run_now(&self, policy: &Policy) -> bool {
        self.run_now && !matches!(policy.targets, Targets::AllVolumes(_))
    }

    /// The Regions that the environment names, with commas between them. What is no Region is passed over: the function's role says what
    /// it may.
    #[must_use]
    pub fn copy_regions(text: Option<&str>) -> Vec<Region> {
        let names = text.unwrap_or_default().split(',');
        names.filter_map(|name| Region::parse(name.trim())).take(Self::COPY_REGIONS_MAX).collect()
    }

    /// The settling time that the environment names, in seconds from 0 on. What cannot be read is as good as nothing
    /// said: a shorter time could cost a second snapshot, a longer one only postpones.
    #[must_use]
    pub fn settling(text: Option<&str>) -> SignedDuration {
        let seconds = text.and_then(|text| text.trim().parse::<u32>().ok());
        let known = seconds.filter(|&seconds| seconds <= Self::SETTLING_SECONDS_MAX);
        known.map_or(Self::SETTLING_DEFAULT, |seconds| SignedDuration::from_secs(i64::from(seconds)))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            accept_count: BTreeMap::new(),
            age_without_new_backups: false,
            api_share: Share::ALL,
            copy_regions: Vec::new(),
            dry_run: false,
            maximum_deletions: MaximumDeletions::Default,
            minimum_kept: 1,
            orphans: Orphans::Keep,
            previous_names: BTreeMap::new(),
            run_now: false,
            run_now_retain: Self::RUN_NOW_RETAIN_DEFAULT,
            revision: None,
            settling: Self::SETTLING_DEFAULT,
            start_window: Self::START_WINDOW_DEFAULT,
            stopped: WhenStopped::Fail,
            target: None,
            one_of: None,
            targets: Vec::new(),
            targets_from: None,
        }
    }
}

impl MaximumDeletions {
    /// The number of deletions that a run may make in an account with so many snapshots and volumes of ours.
    #[must_use]
    pub fn allowed(self, snapshots: usize, volumes: usize) -> usize {
        match self {
            Self::Default => volumes.saturating_mul(2).max(100),
            Self::Number(number) => number,
            Self::PerCent(per_cent) => snapshots.saturating_mul(usize::from(per_cent)) / 100,
        }
    }
}

/// When and how a run began. What is due is fixed by it, whenever the turns happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The event's `ScheduledTime`, else the envelope's `time`, else the clock of the first turn. To the second.
    pub at: Timestamp,
    /// Who said so.
    pub origin: StartOrigin,
    /// The clock of the first turn: a start that arrives after its window makes nothing.
    pub begun: Timestamp,
    /// Whether this call comes later after the last one than any wait or retry of the state machine explains. What it makes, it
    /// makes for times that are still due, and it deletes nothing.
    pub came_back: bool,
}

/// Who said when a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOrigin {
    /// Nobody: the clock of the first turn was taken.
    Clock,
    /// The event.
    Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_for_a_settling_time_only_postpones() {
        let seconds = |text| Options::settling(text).as_secs();
        assert_eq!((seconds(None), seconds(Some("0")), seconds(Some(" 900 "))), (120, 0, 900));
        assert_eq!((seconds(Some("901")), seconds(Some("-1")), seconds(Some("soon"))), (120, 120, 120));
    }
}
