//! What stays and what goes in the home Region.

pub(crate) mod brakes;
pub(in crate::plan) mod duplicate;
pub(in crate::plan) mod foresee;
pub(in crate::plan) mod history;
pub(in crate::plan) mod orphan;
pub mod retain;
pub(crate) mod sets;
pub(in crate::plan) mod stopped;
pub(in crate::plan) mod verdicts;
