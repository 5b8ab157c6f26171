//! The judge: knows what is true in the simulated account, and nothing of the planner. It holds every deletion, every
//! end of an execution and the end of the year to the promises.
//!
//! 1. A snapshot that the rules keep is never deleted, and never one that is not ours.
//! 2. When an execution ends, each due target has exactly one complete snapshot of ours, or the report names it.
//! 3. SUCCEEDED is said only when that is true.
//! 4. What a run calls missed was missed.
//! 5. Once faults stop, the account comes to the state that a run without faults would have reached.
//!
//! Nobody can know what changed a moment ago. So a fact binds a run when it was true already as long before the run
//! looked as a list can lag, and what was removed after that counts as if it were still there.

pub mod alarm;
pub mod copies;
pub mod deletion;
pub mod ending;
pub mod newest;
mod orphan;
pub mod silence;
pub(in crate::sim) mod truth;
pub mod waiting;
pub mod year_end;

use crate::options::{Options, Orphans};
use crate::policy::{CreateRule, Policy, RetainRule};
use jiff::{SignedDuration, Timestamp};

/// By how much a turn's clock and EC2's differ at most. Two turns' clocks differ by twice that: a minute.
pub const SKEW_MAX: SignedDuration = SignedDuration::from_secs(30);

/// How long after a scheduled time snapshots may be begun: the default of `Options.StartWindowMinutes`.
const START_WINDOW: SignedDuration = SignedDuration::from_mins(60);

/// A schedule in plain numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its name and those that it had before.
    pub names: Vec<String>,
    /// Every so many hours, counted from 17:00; `None`: whenever it is started.
    pub hours: Option<i64>,
    /// How long the period is for the rule that nothing ages away when backups have stopped.
    pub period: SignedDuration,
    /// What it keeps.
    pub keeps: Keeps,
    /// Whether all but the last of what is gone may go.
    pub lets_orphans_go: bool,
    /// After how long all of it may go, the last one of a volume that is gone too.
    pub orphans_expire: Option<SignedDuration>,
    /// Whether somebody has agreed to its count, should an earlier one have been higher.
    pub is_accepted: bool,
}

/// What a schedule keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// The newest so many.
    Count(usize),
    /// So many days.
    Days(i64),
}

impl Rule {
    /// The rules of a policy of the simulator: intervals from 17:00, counts and days.
    #[must_use]
    pub fn all(policy: &Policy, options: &Options) -> Vec<Self> {
        let rule = |schedule: &crate::policy::Schedule| {
            let hours = match &schedule.create {
                CreateRule::Interval { hours, .. } => Some(i64::from(hours.hours())),
                CreateRule::Cron(_) | CreateRule::OnStart => None,
            };
            let keeps = match schedule.retain {
                RetainRule::Count(count) => Keeps::Count(usize::try_from(count.get()).unwrap_or(usize::MAX)),
                RetainRule::Age(age) => Keeps::Days(i64::from(age.interval.get())),
            };
            let period = SignedDuration::from_hours(hours.unwrap_or(24));
            let lets_orphans_go = options.orphans == Orphans::KeepLast;
            let orphans_expire = match options.orphans {
                Orphans::Expire(age) => Some(SignedDuration::from_hours(24 * i64::from(age.interval.get()))),
                Orphans::Keep | Orphans::KeepLast => None,
            };
            let before = options.previous_names.get(&schedule.name).into_iter().flatten();
            let names = std::iter::once(&schedule.name).chain(before).map(ToString::to_string).collect();
            let is_accepted = match schedule.retain {
                RetainRule::Count(count) => options.accept_count.get(&schedule.name) == Some(&count),
                RetainRule::Age(_) => false,
            };
            Self {
                name: schedule.name.to_string(),
                names,
                hours,
                period,
                keeps,
                lets_orphans_go,
                orphans_expire,
                is_accepted,
            }
        };
        policy.schedules.iter().map(rule).collect()
    }

    /// What a RunNow makes: one of everything for its own start.
    #[must_use]
    pub fn of_run_now() -> Self {
        Self {
            name: truth::RUN_NOW.to_owned(),
            names: vec![truth::RUN_NOW.to_owned()],
            hours: None,
            period: truth::RUN_NOW_STAYS,
            keeps: Keeps::Days(7),
            lets_orphans_go: false,
            orphans_expire: None,
            is_accepted: false,
        }
    }

    /// Whether a snapshot for one of these schedules is for it.
    #[must_use]
    pub fn is_one_of(&self, names: &[&str]) -> bool {
        self.names.iter().any(|name| names.contains(&name.as_str()))
    }

    /// Whether this is one of its scheduled times; of one that has none, the time at which it is started every day.
    #[must_use]
    pub fn is_due_at(&self, at: Timestamp) -> bool {
        let by_day = Self { hours: self.hours.or(Some(24)), ..self.clone() };
        by_day.latest(at) == at
    }

    /// The latest scheduled time at or before `at`.
    #[must_use]
    pub fn latest(&self, at: Timestamp) -> Timestamp {
        let Some(hours) = self.hours else { return at };
        let past = (at.as_second() - 17 * 3_600).rem_euclid(hours * 3_600);
        Timestamp::from_second(at.as_second() - past).unwrap_or(at)
    }
}
