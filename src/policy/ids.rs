//! The names that identify a policy and its schedules. Made only by parsing.

use std::fmt;
use std::sync::Arc;

/// A policy's id, as in `policy-0123456789abcdef0`.
///
/// It becomes part of a wildcard filter on descriptions, so it holds letters, digits, `.`, `_` and `-` only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(Arc<str>);

/// All that is wrong with a text that was to be a policy id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy id {0} as in policy-0123456789abcdef0")]
pub struct PolicyIdError(Faults);

/// What is wrong with the length of a text, and with its characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Faults {
    /// How many characters it has, where that is none or too many.
    length: Option<usize>,
    length_max: usize,
    /// Each character that it may not hold, once.
    characters: Vec<char>,
    /// Which ones it may.
    allowed: &'static str,
}

impl Faults {
    fn of(text: &str, length_max: usize, is_allowed: fn(char) -> bool, allowed: &'static str) -> Self {
        let length = text.chars().count();
        let mut characters = Vec::new();
        for bad in text.chars().filter(|&c| !is_allowed(c)) {
            if characters.len() < CHARACTERS_TOLD_MAX && !characters.contains(&bad) {
                characters.push(bad);
            }
        }
        Self { length: (length == 0 || length > length_max).then_some(length), length_max, characters, allowed }
    }
}

/// How many wrong characters of a text are told: what has more was meant for something else.
const CHARACTERS_TOLD_MAX: usize = 10;

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(length) = self.length {
            write!(f, "of {length} characters, expected 1 to {}", self.length_max)?;
        }
        if self.characters.is_empty() {
            return Ok(());
        }
        let between = if self.length.is_some() { "; it " } else { "" };
        let characters: Vec<String> = self.characters.iter().map(|character| format!("{character:?}")).collect();
        write!(f, "{between}holds {}, expected only {}", characters.join(" "), self.allowed)
    }
}

impl PolicyId {
    /// DLM's own limit of `PolicyId`.
    pub const LENGTH_MAX: usize = 64;

    /// Reads a policy id.
    ///
    /// # Errors
    /// When the text is empty, too long, or holds a character other than letters, digits, `.`, `_` and `-`.
    pub fn parse(text: &str) -> Result<Self, PolicyIdError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.chars().all(is_allowed) {
            let allowed = "letters, digits, '.', '_' and '-'";
            return Err(PolicyIdError(Faults::of(text, Self::LENGTH_MAX, is_allowed, allowed)));
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

/// All that is wrong with a text that was to be a schedule name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schedule name {0}")]
pub struct ScheduleNameError(Faults);

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
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-');
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.chars().all(is_allowed) {
            let allowed = "letters, digits, ' ', '_' and '-'";
            return Err(ScheduleNameError(Faults::of(text, Self::LENGTH_MAX, is_allowed, allowed)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(ScheduleName::parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_name_with_several_faults_hears_of_all_of_them() {
        check("", "schedule name of 0 characters, expected 1 to 120");
        check(&"x".repeat(121), "schedule name of 121 characters, expected 1 to 120");
        check("a.b/c.d", "schedule name holds '.' '/', expected only letters, digits, ' ', '_' and '-'");
        check(
            &"data: docker.io/app ".repeat(7),
            "schedule name of 140 characters, expected 1 to 120; it holds ':' '.' '/', expected only letters, digits, ' ', \
             '_' and '-'",
        );
        check(
            "abcdefghijklmnopqrstuvwxyz!\"#$%&()*+,;<=>",
            "schedule name holds '!' '\"' '#' '$' '%' '&' '(' ')' '*' '+', expected only letters, digits, ' ', '_' and '-'",
        );
    }

    #[test]
    fn a_policy_id_too() {
        let told = |text: &str| PolicyId::parse(text).unwrap_err().to_string();
        let form = " as in policy-0123456789abcdef0";
        assert_eq!(told(""), format!("policy id of 0 characters, expected 1 to 64{form}"));
        let allowed = "expected only letters, digits, '.', '_' and '-'";
        assert_eq!(told("policy-*"), format!("policy id holds '*', {allowed}{form}"));
        let both = format!("policy id of 66 characters, expected 1 to 64; it holds '*' 'é', {allowed}{form}");
        assert_eq!(told(&"*é".repeat(33)), both);
    }
}
