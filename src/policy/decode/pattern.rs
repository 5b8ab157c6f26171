//! The patterns that Amazon DLM's model has for texts, as predicates.

use super::super::ids::ScheduleName;

/// A form that a text has to have.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The form in words, as in `expected ...`.
    pub(super) expected: &'static str,
    /// Whether a text has it.
    pub(super) holds: fn(&str) -> bool,
}

/// `^[0-9]{12}$`.
pub(super) static ACCOUNT: Pattern =
    Pattern { expected: "an account number of 12 digits", holds: |text| text.len() == 12 && is_digits(text) };

/// `([a-z]+-){2,3}\d[a-z]`.
pub(super) static AVAILABILITY_ZONE: Pattern =
    Pattern { expected: "an Availability Zone such as us-west-2a", holds: is_availability_zone };

/// `[a-z]{3,4}\d-az\d+`.
pub(super) static AVAILABILITY_ZONE_ID: Pattern =
    Pattern { expected: "an Availability Zone id such as use1-az1", holds: is_availability_zone_id };

/// `Target` of a copy rule: a Region, or the ARN of an Outpost (model: at most 2048 of word characters, `:-/*`).
pub(super) static COPY_TARGET: Pattern = Pattern {
    expected: "a Region such as us-west-2 or the ARN of an Outpost",
    holds: |text| is_region(text) || is_outpost_arn(text),
};

/// A description that Amazon DLM takes: `[0-9A-Za-z _-]+`, at most 500.
pub(super) static DESCRIPTION: Pattern = Pattern {
    expected: "at most 500 letters, digits, ' ', '_' and '-' if it shall go to Amazon DLM",
    holds: |text| text.len() <= 500 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" _-".contains(&b)),
};

/// `arn:aws(-[a-z]{1,3}){0,2}:kms:([a-z]+-){2,3}\d:\d+:key/.*`.
pub(super) static KEY_ARN: Pattern = Pattern {
    expected: "the ARN of a KMS key such as arn:aws:kms:us-west-2:111122223333:key/1234abcd (no alias)",
    holds: is_key_arn,
};

/// The name of an action, of the same form as a schedule's.
pub(super) static NAME: Pattern = Pattern {
    expected: "a name of 1 to 120 letters, digits, ' ', '_' and '-'",
    holds: |text| ScheduleName::parse(text).is_ok(),
};

/// `([a-z]+-){2,3}\d`.
pub(super) static REGION: Pattern = Pattern { expected: "a Region such as us-west-2", holds: is_region };

/// `arn:aws(-[a-z]{1,3}){0,2}:iam::\d+:role/.*`.
pub(super) static ROLE_ARN: Pattern = Pattern {
    expected: "the ARN of a role such as arn:aws:iam::111122223333:role/name if it shall go to Amazon DLM",
    holds: is_role_arn,
};

/// The handler of a script: at most 200 characters.
pub(super) static SCRIPT_HANDLER: Pattern = Pattern {
    expected: "AWS_VSS_BACKUP, or the name or ARN of an SSM document, of at most 200 characters",
    holds: |text| text.chars().count() <= 200,
};

/// A regular expression of at most 1000 characters. Its dialect is undocumented, so it is not compiled here.
pub(super) static SHORT_REGEX: Pattern =
    Pattern { expected: "a regular expression of at most 1000 characters", holds: |text| text.chars().count() <= 1000 };

/// A clock time `hh:mm` of the day, in minutes after midnight (`^(0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]$`).
pub(super) fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str| if part.len() == 2 && is_digits(part) { part.parse::<u16>().ok() } else { None };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// [`minute_of_day`] as a form.
pub(super) static CLOCK_TIME: Pattern =
    Pattern { expected: "a time in UTC such as 03:00", holds: |text| minute_of_day(text).is_some() };

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_lower(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase())
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    match parts.as_slice() {
        [words @ .., number] => {
            (2..=3).contains(&words.len())
                && words.iter().all(|word| is_lower(word))
                && number.len() == 1
                && is_digits(number)
                && text.len() <= 16
        }
        [] => false,
    }
}

fn is_availability_zone(text: &str) -> bool {
    text.char_indices()
        .next_back()
        .is_some_and(|(at, last)| last.is_ascii_lowercase() && text.get(..at).is_some_and(is_region))
}

fn is_availability_zone_id(text: &str) -> bool {
    let Some((region, number)) = text.split_once("-az") else { return false };
    let letters = region.trim_end_matches(|c: char| c.is_ascii_digit());
    (3..=4).contains(&letters.len()) && is_lower(letters) && region.len() == letters.len() + 1 && is_digits(number)
}

/// The partition is `aws` and up to two parts of one to three letters, as in `aws-us-gov`.
fn is_partition(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_aws = parts.next() == Some("aws");
    let others: Vec<&str> = parts.take(3).collect();
    is_aws && others.len() <= 2 && others.iter().all(|part| part.len() <= 3 && is_lower(part))
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            is_partition(partition) && is_digits(account) && resource.starts_with("role/") && text.len() <= 2048
        }
        _ => false,
    }
}

fn is_key_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "kms", region, account, resource] => {
            is_partition(partition) && is_region(region) && is_digits(account) && resource.starts_with("key/")
        }
        _ => false,
    }
}

fn is_outpost_arn(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_:-/*".contains(&b);
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "outposts", _, _, resource] => {
            is_partition(partition)
                && resource.starts_with("outpost/")
                && text.len() <= 2048
                && text.bytes().all(is_allowed)
        }
        _ => false,
    }
}
