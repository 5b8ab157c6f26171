//! Where a run works: one account in one Region, which the contract calls a target (`Options.Target`).
//!
//! EC2's request limits are for each account in each Region, so a run for each of them, side by side, is all the
//! parallelism that there is to have. Texts become places only by parsing.

mod list;

use crate::policy::{PolicyId, fnv1a};
pub use list::ListObject;
use std::fmt;

/// One account in one Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whose account it is, by the role that opens it; `None` is the function's own, with the function's own role.
    pub role: Option<Role>,
    /// The Region.
    pub region: Region,
}

/// A role in the account, and how it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// The role.
    pub arn: RoleArn,
    /// What the role's trust policy asks for beside the name of who comes, if it does.
    pub external_id: Option<ExternalId>,
}

/// The ARN of a role, as in `arn:aws:iam::111122223333:role/opendlm-target`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleArn(String);

/// The external id of a trust policy. IAM does not treat it as a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExternalId(String);

/// The name of a Region, as in `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(String);

/// The most places that one event names by itself: of so many, each has room to tell 3,000 bytes.
pub const PLACES_MAX: usize = 40;

/// The most places that a list in S3 names. Of so many, each still has room to tell all its counts and a failure.
pub const PLACES_LISTED_MAX: usize = 200;

/// Which one of the targets of a run that was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OneOf {
    /// Its number, from 0 on, in the order in which the event names them.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Place {
    /// The account's number; `None` for the function's own, which nothing in an event names.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.role.as_ref().map(|role| role.arn.account())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.account() {
            Some(account) => write!(f, "account {account} in {}", self.region),
            None => write!(f, "own account in {}", self.region),
        }
    }
}

impl RoleArn {
    /// What one looks like, for messages.
    pub const EXPECTED: &str = "the ARN of a role such as arn:aws:iam::111122223333:role/opendlm-target";
    /// STS API reference, AssumeRole: `RoleArn`.
    const LENGTH_MAX: usize = 2048;
    /// IAM API reference, CreateRole: `RoleName`.
    const NAME_LENGTH_MAX: usize = 64;
    /// AWS Organizations and IAM: an account has a number of twelve digits.
    const ACCOUNT_DIGITS: usize = 12;

    /// Reads the ARN of a role, with or without a path before its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = parts.as_slice() else { return None };
        let resource = resource.strip_prefix("role/")?;
        let (path, name) = resource.rsplit_once('/').unwrap_or(("", resource));
        let is_role = *arn == "arn"
            && is_partition(partition)
            && *service == "iam"
            && region.is_empty()
            && account.len() == Self::ACCOUNT_DIGITS
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && path.bytes().all(|byte| byte.is_ascii_graphic())
            && (1..=Self::NAME_LENGTH_MAX).contains(&name.len())
            && name.bytes().all(is_of_a_name)
            && text.len() <= Self::LENGTH_MAX;
        is_role.then(|| Self(text.to_owned()))
    }

    /// The ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of the account that the role is in.
    #[must_use]
    pub fn account(&self) -> &str {
        self.0.split(':').nth(4).expect("parsing has found six parts")
    }
}

impl ExternalId {
    /// What one looks like, for messages.
    pub const EXPECTED: &str = "2 to 1224 letters, digits and characters of _+=,.@:/-";
    /// STS API reference, AssumeRole: `ExternalId`, `[\w+=,.@:\/-]*`.
    const LENGTHS: std::ops::RangeInclusive<usize> = 2..=1224;

    /// Reads an external id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| is_of_a_name(byte) || b":/".contains(&byte);
        let is_id = Self::LENGTHS.contains(&text.len()) && text.bytes().all(is_allowed);
        is_id.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `aws(-[a-z0-9]+)*`: a partition by its form, as in `aws-us-gov` and `aws-eusc`.
///
/// Not a list: AWS opens new ones, and a role in one that is not there costs a refusal of STS and nothing else.
fn is_partition(text: &str) -> bool {
    let mut words = text.split('-');
    words.next() == Some("aws") && words.all(is_word)
}

/// Whether a text is lowercase letters and digits, and begins with a letter.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `[\w+=,.@-]`: what IAM takes in names of roles and sessions.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

impl Region {
    /// What one looks like, for messages.
    pub const EXPECTED: &str = "a Region such as eu-west-1";
    /// Twice the longest there is, `ap-northeast-1`. It becomes part of the endpoint's name.
    const LENGTH_MAX: usize = 32;
    /// All of today's have one digit.
    const DIGITS_MAX: usize = 2;

    /// Reads the name of a Region by its form: words and a number, joined by hyphens, as in `us-gov-west-1` and
    /// `eusc-de-east-1`. Zones (`eu-west-1a`, `us-west-2-lax-1`) are not Regions.
    ///
    /// Not a list: AWS opens new ones, and one that is not there costs a run that fails and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [area, words @ .., number] = parts.as_slice() else { return None };
        let is_region = is_word(area)
            && area.len() >= 2
            && !words.is_empty()
            && words.iter().all(|word| is_word(word))
            && (1..=Self::DIGITS_MAX).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && text.len() <= Self::LENGTH_MAX;
        is_region.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a session: what CloudTrail of the other account shows of who came.
///
/// `opendlm-` and the policy's id; of an id that leaves no room for itself the beginning and a hash of all of it.
#[must_use]
pub fn session_name(policy: &PolicyId) -> String {
    let name = format!("opendlm-{policy}");
    if name.len() <= SESSION_NAME_LENGTH_MAX {
        return name;
    }
    let hash = format!("-{:016x}", fnv1a(policy.as_str().bytes()));
    let beginning: String = name.chars().take(SESSION_NAME_LENGTH_MAX - hash.len()).collect();
    beginning + &hash
}

/// STS API reference, AssumeRole: `RoleSessionName`, 2 to 64 of `[\w+=,.@-]`. A policy id alone may have 64.
const SESSION_NAME_LENGTH_MAX: usize = 64;

/// How many bytes are told of the runs of all targets together. Step Functions hands 262,144 from state to state: less
/// 120,000 for the answer that split the run (its `Next` and its targets 105,000, its report 15,000), 142,000 are left.
const PARTS_LENGTH_MAX: usize = 120_000;

/// The most that is told of one of a few targets: twenty failures in short.
const PART_LENGTH_MAX: usize = 3_000;

impl OneOf {
    /// How many bytes the run of this target may tell of itself, as JSON: its share of 120,000.
    #[must_use]
    pub fn part_length_max(self) -> usize {
        let of = usize::try_from(self.of).unwrap_or(usize::MAX).max(1);
        (PARTS_LENGTH_MAX / of).min(PART_LENGTH_MAX)
    }

    /// How many characters of an error are told that ends the run of this target: a third of its share, since quotes in
    /// it become up to four characters in the JSON of Lambda inside that of Step Functions.
    #[must_use]
    pub fn error_length_max(self) -> usize {
        self.part_length_max() / 3
    }
}

#[cfg(test)]
mod tests;
