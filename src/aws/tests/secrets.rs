//! No log line, report, error or answer shows a secret key, a session token, a signature or a password in a URL,
//! whatever goes wrong and whatever level is asked for.

use super::answers::{bytes, whole_answer};
use super::{answer, lines};
use crate::aws::{Account, client, clock};
use crate::handler;
use crate::log::Form;
use crate::log::tests::Captured;
use aws_credential_types::Credentials;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::config::{AsyncSleep, Config, Region, SharedHttpClient};
use aws_smithy_http_client::test_util::{NeverClient, infallible_client_fn};
use jiff::SignedDuration;
use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use std::fmt::Write;
use tracing::instrument::WithSubscriber;

const SECRET: &str = "MARKEDsecretKey";
const TOKEN: &str = "MARKEDsessionToken";
const PASSWORD: &str = "MARKEDpassword";

/// Nobody listens there.
const DOOR: &str = "http://user:MARKEDpassword@127.0.0.1:1";

pub(super) fn account_at(endpoint: &str, http: SharedHttpClient, sleep: impl AsyncSleep + 'static) -> Account {
    let config = Config::builder()
        .behavior_version_latest()
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("AKIDMARKED", SECRET, Some(TOKEN.to_owned()), None, "test"))
        .endpoint_url(endpoint)
        .http_client(http)
        .sleep_impl(sleep);
    Account::new(aws_sdk_ec2::Client::from_conf(client::with_patience(config, 2).build()))
}

/// An endpoint that answers with what the request held: its headers, and so the token and the signature.
fn echoing(answer: impl Fn(&str, &str) -> HttpResponse + Send + Sync + 'static) -> Account {
    let http = infallible_client_fn(move |request| {
        let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap();
        let headers =
            ["x-amz-security-token", "authorization"].map(|name| format!("{name}: {}\n", header(name))).concat();
        assert!(headers.contains(TOKEN) && headers.contains("Signature="), "{headers}");
        let form = String::from_utf8_lossy(request.body().bytes().unwrap()).into_owned();
        let action = form.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap();
        answer(action, &headers).try_into_http1x().unwrap()
    });
    account_at(DOOR, http, super::WithoutPauses)
}

/// What a turn against `account` shows to anybody: its log at the highest level, in both forms, its answer or error.
async fn shown(account: &Account) -> String {
    let mut all = String::new();
    for form in [Form::Json, Form::Text] {
        let (log, captured) = Captured::log(form, LevelFilter::TRACE);
        // Two seconds to begin a creation in: what is throttled is not tried for long.
        let until = clock::now() + SignedDuration::from_secs(17);
        match handler::turn(account, &lines::event(), until).with_subscriber(log).await {
            Ok(answer) => all.push_str(&serde_json::to_string(&answer).unwrap()),
            Err(error) => write!(all, "{} {error:?}", error.text()).unwrap(),
        }
        all.push_str(&captured.text());
    }
    all
}

#[track_caller]
fn check(shown: &str) {
    for marked in [SECRET, TOKEN, PASSWORD, "Signature=", "AWS4-HMAC"] {
        assert!(!shown.contains(marked), "{marked}: {shown}");
    }
}

fn refusal(code: &str, text: &str) -> String {
    format!("<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors></Response>")
}

#[tokio::test]
async fn a_refusal_that_quotes_the_request_is_not_passed_on() {
    for (status, code) in [
        (403, "SignatureDoesNotMatch"),
        (400, "IncompleteSignature"),
        (403, "AuthFailure"),
        (400, "InvalidParameterValue"),
        (500, "InternalError"),
        (503, "RequestLimitExceeded"),
    ] {
        let listing = echoing(move |_, headers| answer(status, &refusal(code, headers)));
        let shown_by_listing = shown(&listing).await;
        assert!(shown_by_listing.contains(code), "{shown_by_listing}");
        check(&shown_by_listing);
        let creation = echoing(move |action, headers| match action {
            "CreateSnapshot" => answer(status, &refusal(code, headers)),
            _ => answer(200, whole_answer(action)),
        });
        let shown_by_creation = shown(&creation).await;
        assert!(shown_by_creation.contains(code), "{shown_by_creation}");
        check(&shown_by_creation);
    }
}

#[tokio::test]
async fn a_malformed_answer_that_quotes_the_request_is_not_passed_on() {
    for around in [
        |headers: &str| headers.to_owned(),
        |headers: &str| format!("<html><body>{headers}</body></html>"),
        |headers: &str| format!("<{}/>", headers.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_")),
        |headers: &str| format!("<html a=\"{}\"/>", headers.replace('"', "")),
        |headers: &str| format!("<DescribeVolumesResponse a=\"{}\">", headers.replace('"', "")),
        |headers: &str| whole_answer("DescribeVolumes").replace("2026-01-01T00:00:00.000Z", headers),
        |headers: &str| whole_answer("DescribeVolumes").replace("in-use", headers),
    ] {
        for status in [200, 400, 502] {
            let account = echoing(move |action, headers| match action {
                "DescribeVolumes" => bytes(status, around(headers).as_bytes()),
                _ => answer(200, whole_answer(action)),
            });
            check(&shown(&account).await);
        }
    }
}

#[tokio::test]
async fn silence_and_closed_doors_show_no_credentials() {
    let silent = account_at(DOOR, SharedHttpClient::new(NeverClient::new()), super::Instantly);
    let silent = shown(&silent).await;
    assert!(silent.contains("Timeout"), "{silent}");
    check(&silent);
    for door in [DOOR, "http://user:MARKEDpassword@exam ple", "MARKEDpassword", "ftp://user:MARKEDpassword@127.0.0.1:1"]
    {
        let closed = shown(&account_at(door, client::https(), super::WithoutPauses)).await;
        check(&closed);
    }
}
