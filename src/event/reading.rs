//! How the readings of an event's parts become the reading of the event.

use crate::policy::decode::{Finding, Reading};

impl<T> Reading<T> {
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

    /// Why there is no value: everything that is wrong or not supported, one after the other. `None` when there is one.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let findings: Vec<String> = self.errors.iter().chain(&self.not_supported).map(ToString::to_string).collect();
        (!findings.is_empty()).then(|| findings.join("\n"))
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}
