//! The keys of volumes, and what Service Quotas did not say.

use super::super::tests::{volume, volumes};
use super::*;
use crate::aws::tests::account;
use aws_sdk_ec2::Client;
use aws_smithy_mocks::mock;

#[tokio::test]
async fn the_key_of_each_encrypted_volume_counts_even_where_nobody_names_it() {
    let encrypted = |id: &str, key: Option<&str>| {
        let mut shown = volume(id);
        shown.encrypted = Some(true);
        shown.kms_key_id = key.map(str::to_owned);
        shown
    };
    let mut plain = volume("vol-0a");
    plain.encrypted = Some(false);
    // As EC2 shows them, 04 of shared/wire/describe-volumes; the last one is that without the key.
    let shown =
        vec![plain, encrypted("vol-0b", Some("arn:aws:kms:us-east-1:111122223333:key/2")), encrypted("vol-0c", None)];
    let listed = mock!(Client::describe_volumes).then_output(move || volumes(shown.clone(), None));
    let ids: Vec<VolumeId> = ["vol-0a", "vol-0b", "vol-0c"].iter().filter_map(|id| VolumeId::parse(id)).collect();
    let keys = account(&[&listed]).keys_of(&ids).await.unwrap();
    let told: Vec<(String, &str)> = keys.iter().map(|(id, key)| (id.to_string(), key.as_str())).collect();
    let expected = [("vol-0b", "arn:aws:kms:us-east-1:111122223333:key/2"), ("vol-0c", KEY_UNNAMED)];
    assert_eq!(told, expected.map(|(id, key)| (id.to_owned(), key)));
}

#[test]
fn a_list_of_quotas_that_failed_names_the_right_only_where_it_is_missing() {
    let told = |kind, code: &str| not_listed(failure::failed(kind, code, "a message"));
    assert_eq!(
        told(FailedKind::Denied, "AccessDeniedException"),
        "ListServiceQuotas failed with AccessDeniedException: a message; the right servicequotas:ListServiceQuotas is missing"
    );
    assert_eq!(told(FailedKind::Unclear, "Timeout"), "ListServiceQuotas failed with Timeout: a message");
}
