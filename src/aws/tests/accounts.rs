//! Which account a run comes to, with whose credentials and through which buckets.

use super::answers::whole_answer;
use super::{POLICY, answer, policy};
use crate::aws::accounts::OPENED_MAX;
use crate::aws::{Account, Accounts, ObserveError};
use crate::pace::Limits;
use crate::place::{ExternalId, Place, Region, Role, RoleArn};
use crate::policy::PolicyId;
use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_smithy_http_client::test_util::infallible_client_fn;
use std::sync::{Arc, Mutex};

/// What was asked: the host, the credential that signed it, and the form.
type Asked = Arc<Mutex<Vec<(String, String, String)>>>;

const GRANTED: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
    <AssumedRoleUser><AssumedRoleId>AROA:opendlm</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/a/b</Arn></AssumedRoleUser>\
    <Credentials><AccessKeyId>ASIATARGET</AccessKeyId><SecretAccessKey>MARKEDsecret</SecretAccessKey>\
    <SessionToken>MARKEDtoken</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
    </AssumeRoleResult></AssumeRoleResponse>";

/// The accounts behind an STS that answers so, and an EC2 in which nothing is.
async fn accounts(sts: fn() -> HttpResponse) -> (Accounts, Asked) {
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    let http = infallible_client_fn(move |request| {
        let form = String::from_utf8_lossy(request.body().bytes().unwrap()).into_owned();
        let action = form.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap().to_owned();
        let signed = request.headers().get("authorization").unwrap().to_str().unwrap();
        let key = signed.split("Credential=").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let host = request.uri().host().unwrap().to_owned();
        log.lock().unwrap().push((host, key, form));
        let response = if action == "AssumeRole" { sts() } else { answer(200, whole_answer(&action)) };
        response.try_into_http1x().unwrap()
    });
    let own = Credentials::new("AKIAOWN", "secret", None, None, "test");
    let settings = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .region(aws_config::Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(own));
    (Accounts::of(settings.load().await, Limits::Documented), asked)
}

fn place(role: Option<&str>, external_id: Option<&str>, region: &str) -> Place {
    let role = role.map(|arn| Role {
        arn: RoleArn::parse(arn).unwrap(),
        external_id: external_id.map(|id| ExternalId::parse(id).unwrap()),
    });
    Place { role, region: Region::parse(region).unwrap() }
}

const ROLE: &str = "arn:aws:iam::111122223333:role/opendlm-target";

fn granted() -> HttpResponse {
    answer(200, GRANTED)
}

fn share_buckets(a: &Account, b: &Account) -> bool {
    Arc::ptr_eq(&a.lanes, &b.lanes)
}

#[tokio::test]
async fn an_account_is_opened_once_and_its_buckets_are_for_whoever_comes_there() {
    let (accounts, asked) = accounts(granted).await;
    let (one, two) = (PolicyId::parse("policy-1").unwrap(), PolicyId::parse("policy-2").unwrap());
    let own = accounts.at(None, &one).await;
    assert!(Arc::ptr_eq(&own, &accounts.at(Some(&place(None, None, "eu-central-1")), &two).await));

    let there = place(Some(ROLE), Some("id"), "eu-west-1");
    let first = accounts.at(Some(&there), &one).await;
    assert!(Arc::ptr_eq(&first, &accounts.at(Some(&there), &one).await));
    let of_another_policy = accounts.at(Some(&there), &two).await;
    assert!(!Arc::ptr_eq(&first, &of_another_policy), "its sessions have another name");
    assert!(share_buckets(&first, &of_another_policy));
    let by_another_role = place(Some("arn:aws:iam::111122223333:role/another"), None, "eu-west-1");
    assert!(share_buckets(&first, &*accounts.at(Some(&by_another_role), &one).await));

    let elsewhere = accounts.at(Some(&place(Some(ROLE), Some("id"), "eu-west-2")), &one).await;
    let own_elsewhere = accounts.at(Some(&place(None, None, "eu-west-1")), &one).await;
    for other in [&own, &elsewhere, &own_elsewhere] {
        assert!(!share_buckets(&first, other));
    }
    assert!(asked.lock().unwrap().is_empty(), "nothing is asked before the first call");
}

#[tokio::test]
async fn a_process_holds_a_bounded_number_of_accounts_open() {
    let (accounts, _) = accounts(granted).await;
    let policy = PolicyId::parse(POLICY).unwrap();
    let nth = |n: usize| place(Some(&format!("arn:aws:iam::{n:012}:role/a")), None, "eu-west-1");
    let first = accounts.at(Some(&nth(0)), &policy).await;
    for n in 1..OPENED_MAX {
        accounts.at(Some(&nth(n)), &policy).await;
    }
    assert!(Arc::ptr_eq(&first, &accounts.at(Some(&nth(0)), &policy).await));
    accounts.at(Some(&nth(1000)), &policy).await;
    assert!(!Arc::ptr_eq(&first, &accounts.at(Some(&nth(0)), &policy).await));
}

#[tokio::test]
async fn a_call_in_a_target_is_signed_with_the_roles_credentials_in_its_region() {
    let (accounts, asked) = accounts(granted).await;
    let target = place(Some(ROLE), Some("shared:id"), "eu-west-1");
    let account = accounts.at(Some(&target), &PolicyId::parse(POLICY).unwrap()).await;
    for _ in 0..2 {
        assert!(account.observe(&policy(&[("k", "v")])).await.is_ok());
    }
    let asked = asked.lock().unwrap();
    let (of_sts, of_ec2): (Vec<_>, Vec<_>) = asked.iter().partition(|(_, _, form)| form.contains("Action=AssumeRole"));
    let [(host, key, form)] = &of_sts[..] else { panic!("{of_sts:?}") };
    // In the function's own Region, with its own credentials.
    assert_eq!((host.as_str(), key.as_str()), ("sts.eu-central-1.amazonaws.com", "AKIAOWN"));
    for field in ["RoleSessionName=opendlm-policy-0123456789abcdef0", "ExternalId=shared%3Aid", "role%2Fopendlm-target"]
    {
        assert!(form.contains(field), "{form}");
    }
    assert!(of_ec2.len() >= 4, "two listings, twice");
    for (host, key, _) in of_ec2 {
        assert_eq!((host.as_str(), key.as_str()), ("ec2.eu-west-1.amazonaws.com", "ASIATARGET"));
    }
}

/// What observing comes to when STS answers so.
async fn refused(sts: fn() -> HttpResponse) -> ObserveError {
    let (accounts, asked) = accounts(sts).await;
    let target = place(Some(ROLE), None, "eu-west-1");
    let account = accounts.at(Some(&target), &PolicyId::parse(POLICY).unwrap()).await;
    let error = account.observe(&policy(&[("k", "v")])).await.unwrap_err();
    assert!(asked.lock().unwrap().iter().all(|(_, _, form)| form.contains("Action=AssumeRole")), "EC2 is not asked");
    error
}

fn sts_error(status: u16, code: &str) -> HttpResponse {
    let error = format!("<Code>{code}</Code><Message>STS's own words MARKED</Message>");
    answer(status, &format!("<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"))
}

#[tokio::test]
async fn a_role_that_does_not_open_is_named_and_said_what_to_do() {
    let error = refused(|| sts_error(403, "AccessDenied")).await;
    assert_eq!(error.name(), "AccessDenied");
    let text = error.to_string();
    for words in [ROLE, "cannot be assumed", "trust policy", "TargetRoleArns", "AccessDenied: STS's own words"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("AKIAOWN"), "{text}");
}

#[tokio::test]
async fn an_sts_that_is_busy_or_down_may_come_back() {
    assert_eq!(refused(|| sts_error(400, "Throttling")).await.name(), "Throttled");
    assert_eq!(refused(|| sts_error(503, "ServiceUnavailable")).await.name(), "Unavailable");
    assert_eq!(refused(|| answer(502, "<html>a proxy</html>")).await.name(), "Unavailable");
}
