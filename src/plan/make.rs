//! What is made: which times are due, for which targets, and by which calls.

pub mod call;
pub(in crate::plan) mod coincide;
pub mod create;
pub mod due;
pub(in crate::plan) mod missed;
pub mod tagging;
pub(in crate::plan) mod target;
