//! What there is to tell about a document, collected while it is read.

use super::{Finding, Reading};

/// The findings of one kind that are listed at most. A person mends a document a few lines at a time, and a hostile
/// one must not fill an answer: the longest list that a sensible policy can earn is one finding for each of its 50
/// target tags.
pub(super) const FINDINGS_MAX: usize = 100;

/// The findings so far, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What makes the document wrong.
    pub(super) errors: Findings,
    /// What is right but not carried out.
    pub(super) not_supported: Findings,
    /// What was ignored or understood differently.
    pub(super) warnings: Findings,
}

impl Notes {
    /// The reading of a document at `path` that gave `value`.
    pub(super) fn into_reading<T>(self, path: &str, value: Option<T>) -> Reading<T> {
        let is_clean = self.errors.is_empty() && self.not_supported.is_empty();
        assert!(value.is_some() || !is_clean, "a document without a finding has a value");
        Reading {
            value: value.filter(|_| is_clean),
            errors: self.errors.into_list(path),
            not_supported: self.not_supported.into_list(path),
            warnings: self.warnings.into_list(path),
        }
    }
}

/// A list that holds at most [`FINDINGS_MAX`] findings and counts the others.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    left_off: usize,
}

impl Findings {
    /// Adds one.
    pub(super) fn push(&mut self, path: &str, message: impl Into<String>) {
        if self.listed.len() < FINDINGS_MAX {
            self.listed.push(Finding { path: path.to_owned(), message: message.into() });
        } else {
            self.left_off += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    fn into_list(self, path: &str) -> Vec<Finding> {
        let mut listed = self.listed;
        if self.left_off > 0 {
            let message = format!("{} more of the same kind, expected at most {FINDINGS_MAX} to list", self.left_off);
            listed.push(Finding { path: path.to_owned(), message });
        }
        listed
    }
}
