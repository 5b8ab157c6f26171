//! What a rule asks of a copy in another Region, and how a snapshot carries that in its tags.

use super::{Age, AgeUnit};
use crate::place::Region;
use std::fmt;
use std::num::NonZeroU32;

/// A copy that each snapshot of a schedule gets in another Region (DLM: `CrossRegionCopyRules`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopyRule {
    /// Where the copy goes.
    pub region: Region,
    /// How long it stays, from its own start on; `None` is for ever.
    pub retain: Option<Age>,
    /// Whether it is encrypted where the snapshot is not (DLM: false does not decrypt).
    pub encrypted: bool,
    /// Whether it gets the user tags of the snapshot.
    pub copy_tags: bool,
    /// Under which key; `None` is the default key of the destination.
    pub key: Option<KeyArn>,
}

/// The ARN of a KMS key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyArn {
    partition: String,
    region: Region,
    account: String,
    id: String,
}

impl KeyArn {
    /// What one looks like, for messages.
    pub const EXPECTED: &str =
        "the ARN of a KMS key such as arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    /// The longest key id: 36 characters of a UUID, or 36 of `mrk-` and 32 digits; with room. A snapshot's tag holds three.
    const ID_LENGTH_MAX: usize = 40;

    /// Reads the ARN of a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts.as_slice() else { return None };
        Self::of(partition, &Region::parse(region)?, account, resource.strip_prefix("key/")?)
    }

    fn of(partition: &str, region: &Region, account: &str, id: &str) -> Option<Self> {
        let is_partition =
            partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let is_id =
            (1..=Self::ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let texts = [partition, account, id].map(str::to_owned);
        (is_partition && is_account && is_id).then(|| {
            let [partition, account, id] = texts;
            Self { partition, region: region.clone(), account, id }
        })
    }

    /// The Region that the key is in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:kms:{}:{}:key/{}", self.partition, self.region, self.account, self.id)
    }
}

impl CopyRule {
    /// The rule as a snapshot carries it: `eu-west-2:5d:et:aws/111122223333/1234abcd`, which is the Region, how long, `e` for
    /// encrypted and `t` for tags, and the key. `-` stands for what there is none of.
    #[must_use]
    pub fn written(&self) -> String {
        let retain = self.retain.map_or_else(|| "-".to_owned(), |age| format!("{}{}", age.interval, letter(age.unit)));
        let flags = match (self.encrypted, self.copy_tags) {
            (true, true) => "et",
            (true, false) => "e",
            (false, true) => "t",
            (false, false) => "-",
        };
        let key = self.key.as_ref().map_or_else(String::new, |k| format!(":{}/{}/{}", k.partition, k.account, k.id));
        format!("{}:{retain}:{flags}{key}", self.region)
    }

    /// Reads what [`Self::written`] wrote; `None` for every other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [region, retain, flags, key @ ..] = parts.as_slice() else { return None };
        let region = Region::parse(region)?;
        let retain = match *retain {
            "-" => None,
            text => Some(age(text)?),
        };
        let (encrypted, copy_tags) = match *flags {
            "et" => (true, true),
            "e" => (true, false),
            "t" => (false, true),
            "-" => (false, false),
            _ => return None,
        };
        let key = match key {
            [] => None,
            [key] => {
                let parts: Vec<&str> = key.splitn(3, '/').collect();
                let [partition, account, id] = parts.as_slice() else { return None };
                Some(KeyArn::of(partition, &region, account, id)?)
            }
            _ => return None,
        };
        Some(Self { region, retain, encrypted, copy_tags, key })
    }
}

fn letter(unit: AgeUnit) -> char {
    match unit {
        AgeUnit::Days => 'd',
        AgeUnit::Months => 'm',
        AgeUnit::Weeks => 'w',
        AgeUnit::Years => 'y',
    }
}

fn age(text: &str) -> Option<Age> {
    let unit = match text.chars().next_back()? {
        'd' => AgeUnit::Days,
        'm' => AgeUnit::Months,
        'w' => AgeUnit::Weeks,
        'y' => AgeUnit::Years,
        _ => return None,
    };
    let interval = text.get(..text.len() - 1)?.parse::<NonZeroU32>().ok()?;
    Some(Age { interval, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

    fn rule() -> CopyRule {
        CopyRule {
            region: Region::parse("us-gov-west-1").unwrap(),
            retain: age("5d"),
            encrypted: true,
            copy_tags: true,
            key: KeyArn::parse(KEY),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let plain = CopyRule { retain: None, encrypted: false, copy_tags: false, key: None, ..rule() };
        assert_eq!(plain.written(), "us-gov-west-1:-:-");
        assert_eq!(
            rule().written(),
            "us-gov-west-1:5d:et:aws-us-gov/111122223333/mrk-1234abcd12ab34cd56ef1234567890ab"
        );
        for rule in [plain, rule(), CopyRule { encrypted: false, ..rule() }, CopyRule { copy_tags: false, ..rule() }] {
            assert_eq!(CopyRule::parse(&rule.written()), Some(rule));
        }
        assert_eq!(KeyArn::parse(KEY).map(|key| key.to_string()).as_deref(), Some(KEY));
    }

    #[test]
    fn what_has_no_meaning_is_no_rule() {
        for text in [
            "",
            "eu-west-2",
            "eu-west-2:5d",
            "eu-west-2:0d:-",
            "eu-west-2:5h:-",
            "eu-west-2:5d:x",
            "eu-west:5d:-",
            "eu-west-2:5d:e:aws/1/a",
            "eu-west-2:5d:e:aws/111122223333/a:b",
        ] {
            assert_eq!(CopyRule::parse(text), None, "{text}");
        }
        assert_eq!(KeyArn::parse("arn:aws:kms:us-west-2:111122223333:alias/a"), None);
    }
}
