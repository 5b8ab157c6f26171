//! Simulated accounts, on the ground floor: they drive the same core as the function does.
//!
//! - [`Account`] tells the truth. Tests of the rules use it, and it shows what a run would come to.
//! - [`year`] is a year in an account that lies, stalls and crashes, all of it from one seed. `make soak` runs many of them.
//!   What EC2 says is drawn by [`ec2`], who starts, waits and tries again is Step Functions' part in [`execution`], and a
//!   [`judge`] who knows the truth and nothing of the planner holds every run to the promises.

mod account;
pub mod begun;
pub mod by_id;
pub mod changes;
pub mod copying;
pub mod crash;
pub mod ec2;
pub mod edits;
pub mod execution;
pub mod fleet;
pub mod judge;
#[cfg(test)]
mod latch;
pub mod life;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod overlap;
#[cfg(test)]
mod paced;
pub mod random;
pub mod sabotage;
pub mod shape;
pub mod soak;
pub mod tampering;
pub mod version;
pub mod year;

pub use account::{Abroad, Account, Calls, Ended};
