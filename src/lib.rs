//! opendlm: Amazon Data Lifecycle Manager's job, in a Lambda function of your own account.
//!
//! Everything that *decides* is a function of values; everything that *touches* AWS or the clock is a short script
//! around it. The snapshots in EC2, with their tags, are the only database: each turn starts from what EC2 shows now.
//!
//! ```text
//!  event ──> decode ──> observe ─────────────> World                     EC2 reads, paged
//!               │ now, read once                 │
//!               │                                v
//!               │       plan(&Policy, start, now, &World) -> Plan { decisions, each with a reason }     PURE
//!               │                                v
//!               │       turn(Plan, progress, budget)  -> { actions now, look again after }              PURE
//!               │                                v
//!               └──────────────────────> apply(actions) -> outcomes      EC2 writes, one call an action, no choices
//!                                                v
//!                  answer { Status, WaitSeconds, Next, Report } ──> Step Functions: Choice, Wait, call again
//! ```
//!
//! The rooms in reading order. Ground floor, without AWS, tokio or a clock:
//! - [`policy`]: a policy as values that cannot be wrong; [`policy::decode`]: JSON to policy, or all its problems.
//! - [`options`], [`event`]: what opendlm offers beyond the policy, and what starts a turn. [`place`]: the account and
//!   Region that it works in.
//! - [`schedule`]: the scheduled times of a schedule. [`starts`](mod@starts): the expressions of EventBridge Scheduler that meet
//!   them.
//! - [`tags`]: the database schema, every tag that is written or read.
//! - [`world`]: what was observed. [`action`]: what is done, and what came of it.
//! - [`plan`](mod@plan): every decision with its reason, and what no plan may break.
//! - [`turn`]: which actions go now, which of them together, and when to look again. [`pace`]: how fast EC2 may be called.
//! - [`live`]: policies as they are deployed, and what a deployment changes.
//! - [`backups`]: which of the snapshots can be restored.
//! - [`report`], [`answer`]: the words.
//! - [`sim`]: a simulated account that drives all of it through a year in a second.
//!
//! First floor, behind the feature `aws`: `aws` (observe, apply, pace, quotas), `handler` (one turn), `log` (its lines) and,
//! behind `cli`, the command line.

pub mod action;
pub mod answer;
#[cfg(feature = "aws")]
pub mod aws;
pub mod backups;
#[cfg(feature = "cli")]
pub mod cli;
pub mod event;
#[cfg(test)]
mod fixtures;
#[cfg(feature = "aws")]
pub mod handler;
pub mod live;
#[cfg(feature = "aws")]
pub mod log;
mod lookup;
pub mod options;
pub mod pace;
pub mod place;
pub mod plan;
pub mod policy;
pub mod report;
pub mod schedule;
pub mod sim;
pub mod starts;
pub mod tags;
pub mod turn;
pub mod world;
