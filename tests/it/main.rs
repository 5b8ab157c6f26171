//! The one integration binary: everything that needs more than one room of the library, or files beside it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails it, which is what a test is for")]

mod cases;
mod events;
mod hostile;
mod operations;
mod policies;
mod starts;
mod walls;
