//! What goes wrong in a simulated account, and how often.

#[cfg(doc)]
use super::LAG_MAX;

/// How often each thing goes wrong, in calls out of 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// A thing in a list is shown as it was up to [`LAG_MAX`] ago.
    pub lag: u64,
    /// A call takes effect and its answer is lost.
    pub lost_answer: u64,
    /// A call fails before it takes effect: an internal error, a timeout, an unknown code.
    pub failure: u64,
    /// A call is throttled.
    pub throttled: u64,
    /// A list fails.
    pub list_failure: u64,
    /// A list is cut short.
    pub cut_short: u64,
    /// A list of volumes or instances is empty, as if there were none.
    pub empty: u64,
    /// A snapshot goes to `error`.
    pub error: u64,
    /// A snapshot stays pending for a day.
    pub hangs: u64,
    /// EC2 begins what a call makes at another time by its clock than by everybody else's.
    pub off_clock: u64,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        lag: 0,
        lost_answer: 0,
        failure: 0,
        throttled: 0,
        list_failure: 0,
        cut_short: 0,
        empty: 0,
        error: 0,
        hangs: 0,
        off_clock: 0,
    };
}

/// Why a list failed, by the names of the state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFailure {
    /// The role may not look.
    AccessDenied,
    /// EC2 has too many calls.
    Throttled,
    /// EC2 does not answer.
    Unavailable,
}

/// Which lists a look found empty by mistake, with HTTP 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emptied {
    /// That of the targets, and that of what our snapshots were made of.
    Both,
    /// None.
    Nothing,
    /// That of our snapshots.
    Snapshots,
    /// That of the targets.
    Targets,
}
