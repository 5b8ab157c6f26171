//! What opendlm offers beyond Amazon DLM's policy, each with its default.

use crate::policy::ScheduleName;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The options of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `DryRun`: decide and report, change nothing. Default: false.
    pub dry_run: bool,
    /// `PreviousNames`: names that a schedule had before, so that what it made under them stays in rotation.
    /// Default: none.
    pub previous_names: BTreeMap<ScheduleName, Vec<ScheduleName>>,
    /// `RunNow`: every schedule of the policy is due, with the start itself as scheduled time. Default: false.
    pub run_now: bool,
    /// `StartWindowMinutes`: how long after a scheduled time its snapshots may still be begun. Default: 60, as DLM.
    pub start_window: SignedDuration,
}

impl Options {
    /// DLM user guide: "snapshot creation starts within one hour of the scheduled time".
    pub const START_WINDOW_DEFAULT: SignedDuration = SignedDuration::from_mins(60);
    /// A day: a longer window would reach the next scheduled time of most schedules.
    pub const START_WINDOW_MINUTES_MAX: u32 = 1440;
    /// A schedule can hardly have had more names; our own bound.
    pub const PREVIOUS_NAMES_MAX: usize = 50;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dry_run: false,
            previous_names: BTreeMap::new(),
            run_now: false,
            start_window: Self::START_WINDOW_DEFAULT,
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
}

/// Who said when a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOrigin {
    /// Nobody: the clock of the first turn was taken.
    Clock,
    /// The event.
    Event,
}
