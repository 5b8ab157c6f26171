//! A snapshot that no decision is about, because opendlm did not make it for this policy: whose it is.

use crate::policy::decode::shown;
use crate::policy::{PolicyId, Tag};
use crate::tags;

/// A snapshot as EC2 shows it by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Its description.
    pub description: String,
    /// All its tags, those of AWS among them.
    pub tags: Vec<Tag>,
    /// The number of the account that owns it.
    pub owner: String,
}

/// The tags by which Amazon DLM knows its own (DLM user guide, "system tags"; reference/dlm.md 2.5). Nobody else can write
/// a key that begins with `aws:`.
const DLM_POLICY: &str = "aws:dlm:lifecycle-policy-id";
const DLM_SCHEDULE: &str = "aws:dlm:lifecycle-schedule-name";

/// How the keys of AWS Backup's tags begin (AWS Backup developer guide, "Tags on resources": `aws:backup:source-resource`).
const BACKUP: &str = "aws:backup:";

/// How EC2 begins the description of an AMI's snapshot (reference/aws-2.md: captures of real snapshots).
const OF_AN_IMAGE: &str = "Created by CreateImage(";

/// How much of a description is quoted.
const QUOTE_LENGTH_MAX: usize = 100;

impl Stranger {
    /// Whether it carries this policy's own tag.
    #[must_use]
    pub fn carries_tag_of(&self, policy: &PolicyId) -> bool {
        self.tags.iter().any(|tag| tag.key == tags::POLICY_ID && tag.value == policy.as_str())
    }

    /// Whose it is, and who decides about it, where the listing of this policy's snapshots in this account lacks it.
    #[must_use]
    pub fn whose(&self, policy: &PolicyId) -> String {
        if self.carries_tag_of(policy) {
            return format!("it carries this policy's tag, but it is the account {}'s and not this one's", self.owner);
        }
        let value =
            |key: &str| self.tags.iter().find(|tag| tag.key == key).map(|tag| shown(&tag.value, QUOTE_LENGTH_MAX));
        if let Some(of) = value(DLM_POLICY) {
            let schedule = value(DLM_SCHEDULE).map_or_else(String::new, |name| format!(", schedule {name}"));
            return format!("Amazon DLM made it for its policy {of}{schedule}: that policy decides, not this one");
        }
        if let Some(of) = value(tags::POLICY_ID) {
            return format!("opendlm made it for the policy {of}: explain it with that one");
        }
        if self.tags.iter().any(|tag| tag.key.starts_with(BACKUP)) {
            return "AWS Backup made it: its plan decides, not this policy".to_owned();
        }
        if self.description.starts_with(OF_AN_IMAGE) {
            return "it is part of an AMI: whoever deregisters that decides".to_owned();
        }
        let description = match self.description.as_str() {
            "" => "it has no description".to_owned(),
            text => format!("its description is {:?}", shown(text, QUOTE_LENGTH_MAX)),
        };
        format!("somebody made it by hand or with another tool: {description}, and it does not carry this policy's tag")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(description: &str, tags: &[(&str, &str)], expected: &str) {
        let tags = tags.iter().map(|&(key, value)| Tag { key: key.to_owned(), value: value.to_owned() }).collect();
        let stranger = Stranger { description: description.to_owned(), tags, owner: "210987654321".to_owned() };
        assert_eq!(stranger.whose(&PolicyId::parse("policy-1").unwrap()), expected);
    }

    #[test]
    fn what_amazon_dlm_made_is_told_with_its_policy() {
        let of_dlm = ("aws:dlm:lifecycle-policy-id", "policy-0123456789abcdef0");
        check(
            "Created for policy: policy-0123456789abcdef0 schedule: Default Schedule",
            &[of_dlm, ("dlm:managed", "true"), ("aws:dlm:lifecycle-schedule-name", "Default Schedule")],
            "Amazon DLM made it for its policy policy-0123456789abcdef0, schedule Default Schedule: that policy decides, not \
             this one",
        );
        // Anybody can write this one.
        check(
            "",
            &[("dlm:managed", "true")],
            "somebody made it by hand or with another tool: it has no description, and it does not carry this policy's tag",
        );
    }

    #[test]
    fn another_policy_of_opendlm_is_named() {
        check(
            "Created for policy: policy-2 schedule: x",
            &[("opendlm:policy-id", "policy-2")],
            "opendlm made it for the policy policy-2: explain it with that one",
        );
    }

    #[test]
    fn another_accounts_snapshot_that_carries_the_policys_tag_is_told_as_that() {
        check(
            "Created for policy: policy-1 schedule: x",
            &[("opendlm:policy-id", "policy-1")],
            "it carries this policy's tag, but it is the account 210987654321's and not this one's",
        );
    }

    #[test]
    fn other_services_of_aws_are_named() {
        let of_backup = [("aws:backup:source-resource", "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1")];
        check(
            "This snapshot is created by the AWS Backup service.",
            &of_backup,
            "AWS Backup made it: its plan decides, not this policy",
        );
        check(
            "Created by CreateImage(i-06d9) for ami-1",
            &[],
            "it is part of an AMI: whoever deregisters that decides",
        );
    }

    #[test]
    fn what_somebody_made_by_hand_is_told_by_its_description() {
        check(
            "before the upgrade\u{202e}",
            &[("Name", "x")],
            "somebody made it by hand or with another tool: its description is \"before the upgrade\\\\u{202e}\", and it does \
             not carry this policy's tag",
        );
    }
}
