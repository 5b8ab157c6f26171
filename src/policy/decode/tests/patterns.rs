//! The forms of texts: texts that have them, and texts that miss them by one thing.

use crate::policy::decode::pattern::{self, Pattern};

#[track_caller]
fn check(pattern: &Pattern, fitting: &[&str], others: &[&str]) {
    for (texts, holds) in [(fitting, true), (others, false)] {
        for text in texts {
            assert_eq!((pattern.holds)(text), holds, "{text:?} as {}", pattern.expected);
        }
    }
}

/// `start` with as many letters behind it as make it `length` long.
fn filled(start: &str, length: usize) -> String {
    format!("{start:a<length$}")
}

#[test]
fn an_account_is_twelve_digits() {
    check(&pattern::ACCOUNT, &["111122223333"], &["", "11112222333", "1111222233334", "11112222333x"]);
}

#[test]
fn a_region_is_two_or_three_words_and_a_digit() {
    check(
        &pattern::REGION,
        &["us-west-2", "us-gov-west-1", "ap-southeastxx-2"],
        &["", "us-2", "a-b-c-d-1", "us--2", "us-West-2", "us-west-", "us-west-12", "us-west-a", "ap-southeastxxx-2"],
    );
}

#[test]
fn a_zone_is_a_region_and_a_letter_and_its_id_is_shorter() {
    check(&pattern::AVAILABILITY_ZONE, &["us-west-2a"], &["", "a", "us-westa", "us-west-2", "us-west-2A"]);
    check(
        &pattern::AVAILABILITY_ZONE_ID,
        &["use1-az1", "usgw1-az12"],
        &["use1", "us1-az1", "usegw1-az1", "USE1-az1", "use-az1", "use12-az1", "use1-az", "use1-azx"],
    );
}

#[test]
fn a_partition_is_aws_and_up_to_two_short_parts() {
    let role = |partition: &str| format!("arn:{partition}:iam::111122223333:role/name");
    for (partition, holds) in [
        ("aws", true),
        ("aws-cn", true),
        ("aws-us-gov", true),
        ("aws-a-b-c", false),
        ("aws-govx", false),
        ("aws-US", false),
        ("aws-", false),
        ("awsx", false),
        ("cn", false),
    ] {
        assert_eq!((pattern::ROLE_ARN.holds)(&role(partition)), holds, "{partition}");
    }
}

#[test]
fn a_role_a_key_and_an_outpost_have_arns() {
    let role = "arn:aws:iam::111122223333:role/";
    check(
        &pattern::ROLE_ARN,
        &["arn:aws:iam::1:role/path/name", &filled(role, 2048)],
        &[
            "role/name",
            "arn:aws:iam::111122223333:user/name",
            "arn:aws:iam::x:role/name",
            "arn:aws:iam:us-west-2:111122223333:role/name",
            &filled(role, 2049),
        ],
    );
    check(
        &pattern::KEY_ARN,
        &["arn:aws:kms:us-west-2:111122223333:key/1234abcd"],
        &[
            "key/1234abcd",
            "arn:aws:kms:us-west-2:111122223333:alias/1234abcd",
            "arn:aws:kms:us-west-2:x:key/1234abcd",
            "arn:aws:kms:us-west:111122223333:key/1234abcd",
            "arn:cn:kms:us-west-2:111122223333:key/1234abcd",
        ],
    );
    let outpost = "arn:aws:outposts:us-west-2:111122223333:outpost/op-";
    check(
        &pattern::COPY_TARGET,
        &["us-west-2", &filled(outpost, 2048)],
        &[
            "op-1",
            "arn:aws:outposts:us-west-2:111122223333:op/op-1",
            "arn:aws:outposts:us-west-2:111122223333:outpost/op+1",
            "arn:cn:outposts:us-west-2:111122223333:outpost/op-1",
            &filled(outpost, 2049),
        ],
    );
}

#[test]
fn texts_end_where_amazon_dlm_ends_them() {
    let letters = |count: usize| "ä".repeat(count);
    check(&pattern::DESCRIPTION, &["", "a B_1-2", &filled("a", 500)], &["a:b", "ä", &filled("a", 501)]);
    check(&pattern::NAME, &["a B_1-2", &filled("a", 120)], &["", "a/b", &filled("a", 121)]);
    check(&pattern::SCRIPT_HANDLER, &[&letters(200)], &[&letters(201)]);
    check(&pattern::SHORT_REGEX, &[&letters(1000)], &[&letters(1001)]);
}

#[test]
fn a_clock_time_is_a_minute_of_the_day() {
    for (text, minute) in [("00:00", 0), ("00:07", 7), ("03:00", 180), ("17:05", 1025), ("23:59", 1439)] {
        assert_eq!(pattern::minute_of_day(text), Some(minute), "{text}");
    }
    check(&pattern::CLOCK_TIME, &["23:59"], &["", ":", "24:00", "25:00", "23:60", "23:61", "3:00", "03:0", "0300"]);
}
