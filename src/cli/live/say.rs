//! What these words write, by the names that they use.

pub(super) use crate::cli::document::print_json as say_json;
use crate::cli::output;
pub(super) use crate::cli::output::{complain as tell, say, say_wrapped};

/// Writes what is wrong to standard error, a line for each cause.
pub(super) fn complain(message: &str) {
    message.lines().for_each(|line| output::complain(&format!("error: {line}")));
}
