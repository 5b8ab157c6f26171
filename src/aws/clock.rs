//! The clock.

use jiff::Timestamp;

/// The time now. The one place in opendlm that reads the clock: the handler calls it once a turn and the pacers before
/// each call; everything else gets the time as an argument.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "somebody has to read the clock, and this is the place")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
