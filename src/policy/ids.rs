//! The names that identify a policy and its schedules. Made only by parsing.

use std::fmt;
use std::sync::Arc;

/// A policy's id, as in `policy-0123456789abcdef0`.
///
/// It becomes part of a wildcard filter on descriptions, so it holds letters, digits, `.`, `_` and `-` only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(Arc<str>);

/// Why a text is no policy id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyIdError {
    /// Nothing, or more than DLM allows.
    #[error("policy id of {0} characters, expected 1 to {max} as in policy-0123456789abcdef0", max = PolicyId::LENGTH_MAX)]
    Length(usize),
    /// A character that has a meaning in a filter, or none at all in an id.
    #[error("policy id holds {0:?}, expected only letters, digits, '.', '_' and '-' as in policy-0123456789abcdef0")]
    Character(char),
}

impl PolicyId {
    /// DLM's own limit of `PolicyId`.
    pub const LENGTH_MAX: usize = 64;

    /// Reads a policy id.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds a character other than letters, digits, `.`, `_` and `-`.
    pub fn parse(text: &str) -> Result<Self, PolicyIdError> {
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
            return Err(PolicyIdError::Character(bad));
        }
        if text.is_empty() || text.len() > Self::LENGTH_MAX {
            return Err(PolicyIdError::Length(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// The id that stands in for one that Amazon DLM has not given out yet: a policy as it is sent to
    /// `create-lifecycle-policy` has none, and can be checked all the same. It never reaches EC2: a run requires an id.
    #[must_use]
    pub fn unassigned() -> Self {
        Self("policy-unassigned".into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A schedule's name: its identity within the policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleName(Arc<str>);

/// Why a text is no schedule name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleNameError {
    /// Nothing, or more than DLM allows.
    #[error("schedule name of {0} characters, expected 1 to {max}", max = ScheduleName::LENGTH_MAX)]
    Length(usize),
    /// A character that DLM refuses.
    #[error("schedule name holds {0:?}, expected only letters, digits, ' ', '_' and '-'")]
    Character(char),
}

impl ScheduleName {
    /// DLM's own limit of `Schedule.Name`.
    pub const LENGTH_MAX: usize = 120;

    /// Reads a schedule name (DLM: `[0-9A-Za-z _-]+`).
    ///
    /// # Errors
    /// When the text is empty, too long, or holds another character.
    pub fn parse(text: &str) -> Result<Self, ScheduleNameError> {
        Self::parse_sharing(text, |text| text.into())
    }

    /// Like [`Self::parse`], with the copy of the text that `share` gives out.
    ///
    /// # Errors
    /// As there.
    pub fn parse_sharing(text: &str, share: impl FnOnce(&str) -> Arc<str>) -> Result<Self, ScheduleNameError> {
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-'))) {
            return Err(ScheduleNameError::Character(bad));
        }
        if text.is_empty() || text.len() > Self::LENGTH_MAX {
            return Err(ScheduleNameError::Length(text.len()));
        }
        Ok(Self(share(text)))
    }

    /// Whether they are equal. Of a policy's names there is one copy, so a look at where it lies is nearly always enough.
    #[must_use]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }

    /// What a schedule without a name is called: the name that Amazon's console gives to a first schedule.
    #[must_use]
    pub fn default_name() -> Self {
        Self("Default Schedule".into())
    }

    /// What the only schedule of a default policy is called: DLM has no name for it, and this one shows in the
    /// description of its snapshots what made them.
    #[must_use]
    pub fn of_default_policy() -> Self {
        Self("Default policy".into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
