//! Tables: what a role, an external id, a Region and a session are called; and how long one of many waits.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check_role(text: &str, account: Option<&str>) {
    assert_eq!(RoleArn::parse(text).as_ref().map(RoleArn::account), account, "{text}");
}

#[test]
fn a_role_is_named_by_an_arn_of_iam() {
    check_role("arn:aws:iam::111122223333:role/opendlm-target", Some("111122223333"));
    check_role("arn:aws-cn:iam::111122223333:role/a", Some("111122223333"));
    check_role("arn:aws-us-gov:iam::000000000001:role/path/to/the_name+=,.@-", Some("000000000001"));
    check_role(&format!("arn:aws:iam::111122223333:role/{}", "n".repeat(64)), Some("111122223333"));
    check_role(&format!("arn:aws:iam::111122223333:role/{}", "n".repeat(65)), None);
    check_role(&format!("arn:aws:iam::111122223333:role/{}/n", "p".repeat(2048)), None);
    for text in [
        "",
        "opendlm-target",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/path/",
        "arn:aws:iam::111122223333:user/me",
        "arn:aws:iam::111122223333:role",
        "arn:aws:iam::11112222333:role/a",
        "arn:aws:iam::1111222233334:role/a",
        "arn:aws:iam::11112222333x:role/a",
        "arn:aws:iam:us-east-1:111122223333:role/a",
        "arn:aws:sts::111122223333:assumed-role/a/b",
        "arn:aws-:iam::111122223333:role/a",
        "arn:awsiso:iam::111122223333:role/a",
        "arn:aws-Iso:iam::111122223333:role/a",
        "arn:aws-1:iam::111122223333:role/a",
        "arn:aws.iso:iam::111122223333:role/a",
        "arn::iam::111122223333:role/a",
        "arn:AWS:iam::111122223333:role/a",
        "arn:aws:iam::111122223333:role/a b",
        "arn:aws:iam::111122223333:role/a\n",
        "arn:aws:iam::111122223333:role/ä",
        "arn:aws:iam::111122223333:role/p q/a",
        "arn:aws:iam::111122223333:role/role/*",
        " arn:aws:iam::111122223333:role/a",
    ] {
        check_role(text, None);
    }
}

/// The partitions of botocore's partitions.json as of 2026, each with one of its Regions.
const PARTITIONS: [(&str, &str); 8] = [
    ("aws", "ap-northeast-1"),
    ("aws-cn", "cn-northwest-1"),
    ("aws-eusc", "eusc-de-east-1"),
    ("aws-iso", "us-iso-east-1"),
    ("aws-iso-b", "us-isob-east-1"),
    ("aws-iso-e", "eu-isoe-west-1"),
    ("aws-iso-f", "us-isof-south-1"),
    ("aws-us-gov", "us-gov-west-1"),
];

#[test]
fn a_role_and_a_region_of_every_partition_are_taken() {
    for (partition, region) in PARTITIONS {
        check_role(&format!("arn:{partition}:iam::111122223333:role/a"), Some("111122223333"));
        assert_eq!(Region::parse(region).as_ref().map(Region::as_str), Some(region));
    }
    check_role("arn:aws-new2-x:iam::111122223333:role/a", Some("111122223333"));
}

#[test]
fn an_external_id_is_of_iams_characters() {
    for text in ["ab", "a+=,.@:/-_9", &"x".repeat(1224)] {
        assert_eq!(ExternalId::parse(text).as_ref().map(ExternalId::as_str), Some(text));
    }
    for text in ["", "a", "a b", "a\"", "ä2", "a*", &"x".repeat(1225)] {
        assert_eq!(ExternalId::parse(text), None, "{text}");
    }
}

#[test]
fn a_region_is_words_and_a_number() {
    for text in ["eu-west-1", "ap-southeast-7", "il-central-1", "mx-central-1", "eu-west-12", "eur2-west-1"] {
        assert_eq!(Region::parse(text).as_ref().map(Region::as_str), Some(text));
    }
    let long = format!("eu-{}-1", "w".repeat(28));
    for text in [
        "",
        "eu-west",
        "eu-west-",
        "eu-west-123",
        "eu-1",
        "e-west-1",
        "1eu-west-1",
        "us-west-2-lax-1",
        "eu-west-1/x-1",
        "EU-west-1",
        "eu--1",
        "eu-west-1a",
        "eu.x-w-1",
        &long,
    ] {
        assert_eq!(Region::parse(text), None, "{text}");
    }
}

#[test]
fn a_place_says_whose_account_and_which_region_it_is() {
    let region = Region::parse("eu-west-1").unwrap();
    let arn = RoleArn::parse("arn:aws:iam::111122223333:role/a").unwrap();
    let theirs = Place { role: Some(Role { arn, external_id: None }), region: region.clone() };
    assert_eq!(theirs.to_string(), "account 111122223333 in eu-west-1");
    assert_eq!(Place { role: None, region }.to_string(), "own account in eu-west-1");
}

#[test]
fn a_session_is_called_after_the_policy() {
    let name = |id: &str| session_name(&PolicyId::parse(id).unwrap());
    assert_eq!(name("policy-0123456789abcdef0"), "opendlm-policy-0123456789abcdef0");
    assert_eq!(name(&"p".repeat(56)), format!("opendlm-{}", "p".repeat(56)));
    let (long, other) = (name(&"p".repeat(57)), name(&"p".repeat(58)));
    assert_ne!(long, other);
    assert!(long.starts_with("opendlm-ppp"), "{long}");
}

proptest! {
    #[test]
    fn a_session_name_is_one_that_sts_takes(id in "[A-Za-z0-9._-]{1,64}") {
        let name = session_name(&PolicyId::parse(&id).unwrap());
        prop_assert!((2..=64).contains(&name.len()), "{}", name);
        prop_assert!(name.bytes().all(is_of_a_name));
    }
}

#[test]
fn what_all_targets_tell_fits_into_a_state_and_each_can_tell_its_counts() {
    for of in 1..=u32::try_from(PLACES_LISTED_MAX).unwrap() {
        let share = OneOf { number: 0, of }.part_length_max();
        assert!(usize::try_from(of).unwrap() * share <= PARTS_LENGTH_MAX, "{of}");
        assert!(share >= 600, "{of}: {share}");
    }
    assert_eq!(OneOf { number: 0, of: 40 }.part_length_max(), PART_LENGTH_MAX);
}
