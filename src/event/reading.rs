//! How the readings of an event's parts become the reading of the event.

use crate::policy::decode::{Finding, Reading};

/// How many bytes a refusal has at most. Step Functions takes 32,768 characters as the cause of a failure, in JSON,
/// where quotes and line ends take two each.
pub const REFUSAL_LENGTH_MAX: usize = 16_000;

/// How many bytes the warnings of a turn have at most: every answer repeats them.
pub const WARNINGS_LENGTH_MAX: usize = 10_000;

impl<T> Reading<T> {
    /// The reading of what is wrong.
    #[must_use]
    pub fn refused(errors: Vec<Finding>) -> Self {
        Self { value: None, errors, not_supported: vec![], warnings: vec![] }
    }

    /// The reading with `wrap` applied to its value.
    #[must_use]
    pub fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Reading<U> {
        let Self { value, errors, not_supported, warnings } = self;
        Reading { value: value.map(wrap), errors, not_supported, warnings }
    }

    /// The reading with more errors in front; with any, there is no value.
    #[must_use]
    pub fn with_errors(mut self, mut errors: Vec<Finding>) -> Self {
        errors.append(&mut self.errors);
        self.errors = errors;
        self.value = self.value.filter(|_| self.errors.is_empty());
        self
    }

    /// The reading with more that is not supported; with any, there is no value.
    #[must_use]
    pub fn with_not_supported(mut self, mut not_supported: Vec<Finding>) -> Self {
        self.not_supported.append(&mut not_supported);
        self.value = self.value.filter(|_| self.not_supported.is_empty());
        self
    }

    /// The reading with more warnings.
    #[must_use]
    pub fn with_warnings(mut self, mut warnings: Vec<Finding>) -> Self {
        self.warnings.append(&mut warnings);
        self
    }

    /// Why there is no value: everything that is wrong or not supported, a line each. `None` when there is one.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let lines = lines(self.errors.iter().chain(&self.not_supported), REFUSAL_LENGTH_MAX);
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// What was ignored or understood differently, a line each, as an answer tells it.
    #[must_use]
    pub fn warned(&self) -> Vec<String> {
        lines(self.warnings.iter(), WARNINGS_LENGTH_MAX)
    }
}

/// One line for each finding. Where they would be longer than `bytes_max` together, the last line counts the others.
fn lines<'a>(findings: impl Iterator<Item = &'a Finding>, bytes_max: usize) -> Vec<String> {
    /// Room for the line that counts, and for the line ends.
    const RESERVE: usize = 200;
    let mut lines = Vec::new();
    let mut length = RESERVE;
    let mut left_off = 0_usize;
    for line in findings.map(ToString::to_string) {
        length += line.len() + 1;
        if length <= bytes_max {
            lines.push(line);
        } else {
            left_off += 1;
        }
    }
    if left_off > 0 {
        lines.push(format!("{left_off} more, which opendlm check lists"));
    }
    lines
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}
