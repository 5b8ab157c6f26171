//! When Service Quotas is asked, what comes of its answers, and that nobody waits for them.

use super::*;
use crate::aws::tests::WithoutPauses;
use crate::pace::{Api, ByApi, LimitsNews};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::SharedAsyncSleep;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_smithy_http_client::test_util::infallible_client_fn;
use std::sync::{Arc, Mutex};

/// What was asked: the host, and the body.
type Heard = Arc<Mutex<Vec<(String, String)>>>;

fn settings(http: SharedHttpClient) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .sleep_impl(SharedAsyncSleep::new(WithoutPauses))
        .region(aws_config::Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKIA", "secret", None, None, "test")))
        .build()
}

/// An account whose creations and deletions work, and whose Service Quotas answers a page after the other as `answers` says.
fn asking(answers: impl Fn(usize) -> HttpResponse + Send + Sync + 'static) -> (Account, Heard) {
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    let http = infallible_client_fn(move |request| {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap()).into_owned();
        let mut log = log.lock().unwrap();
        log.push((request.uri().host().unwrap().to_owned(), body));
        answers(log.len()).try_into_http1x().unwrap()
    });
    let mut account = account(&[&creates_work(), &deletes_work()]);
    account.quotas = Some(settings(http));
    (account, heard)
}

/// A page of quotas as Service Quotas writes it.
fn page(quotas: &[(&str, f64)], next: Option<&str>) -> HttpResponse {
    let quota = |&(name, value): &(&str, f64)| {
        let period = if name.contains("refill") { r#","Period":{"PeriodUnit":"SECOND","PeriodValue":1}"# } else { "" };
        format!(
            r#"{{"ServiceCode":"ec2","QuotaCode":"L-84922688","QuotaName":"{name}","Value":{value},"Unit":"None","Adjustable":false,"GlobalQuota":false,"QuotaAppliedAtLevel":"ACCOUNT"{period}}}"#
        )
    };
    let quotas: Vec<String> = quotas.iter().map(quota).collect();
    let next = next.map_or(String::new(), |next| format!(r#","NextToken":"{next}""#));
    answer(200, &format!(r#"{{"Quotas":[{}]{next}}}"#, quotas.join(",")))
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    answer(status, &format!(r#"{{"__type":"{code}","message":"Service Quotas' own words"}}"#))
}

const RAISED: [(&str, f64); 3] = [
    ("CreateSnapshot request bucket maximum capacity", 200.0),
    ("CreateSnapshot request bucket refill rate", 50.0),
    ("DescribeSnapshots unfiltered request bucket refill rate", 100.0),
];

/// More creations than the documented bucket lets through at once.
async fn large(account: &Account) -> Option<LimitsNews> {
    let outcomes = account.apply(&creates(99), later(), |_, _| {}).await;
    assert!(outcomes.iter().all(is_made));
    account.limits_news()
}

/// One whose calls find their bucket full.
async fn another_large_turn(account: &Account) {
    let deletions: Vec<Action> = (0..99).map(|number| delete(&format!("snap-{number:x}"))).collect();
    let outcomes = account.apply(&deletions, later(), |_, _| {}).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Deleted));
}

fn is_made(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Created(_))
}

fn numbers(limit: crate::pace::Limit) -> (u32, u32) {
    (limit.capacity().get(), limit.refill_per_second().get())
}

#[tokio::test]
async fn a_large_turn_asks_once_in_its_region_and_goes_on_with_what_is_said() {
    let (account, heard) = asking(|_| page(&RAISED, None));
    assert_eq!(account.buckets()[Api::CreateSnapshot].holds(), 98);
    let news = large(&account).await.unwrap();
    assert_eq!((numbers(news.limits[Api::CreateSnapshot]), news.is_listed, &news.failed), ((200, 50), true, &None));
    assert_eq!(news.limits[Api::DeleteSnapshot], Api::DeleteSnapshot.documented());
    assert!(news.unsaid.contains(&Api::DeleteSnapshot) && !news.unsaid.contains(&Api::CreateSnapshot));
    // Twenty of them are on the way, as long as two are at five a second.
    assert_eq!(
        (account.buckets()[Api::CreateSnapshot].holds(), account.buckets()[Api::DeleteSnapshot].holds()),
        (180, 98)
    );
    another_large_turn(&account).await;
    assert_eq!(account.limits_news(), None);
    let heard = heard.lock().unwrap();
    let [(host, body)] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(host, "servicequotas.eu-central-1.amazonaws.com");
    assert_eq!(body, r#"{"ServiceCode":"ec2","MaxResults":100}"#);
}

#[tokio::test]
async fn a_turn_of_no_more_calls_than_the_bucket_holds_asks_nobody() {
    let (account, heard) = asking(|_| page(&RAISED, None));
    let mut actions = creates(98);
    actions.extend((0..98).map(|number| delete(&format!("snap-{number:x}"))));
    assert_eq!(account.apply(&actions, later(), |_, _| {}).await.len(), 196);
    assert_eq!((account.limits_news(), heard.lock().unwrap().len()), (None, 0));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_to_its_end() {
    let (account, heard) = asking(|number| match number {
        1 => page(&RAISED[..1], Some("second")),
        2 => page(&[], Some("third")),
        _ => page(&RAISED[1..], None),
    });
    assert_eq!(numbers(large(&account).await.unwrap().limits[Api::CreateSnapshot]), (200, 50));
    let heard = heard.lock().unwrap();
    let is_after = |at: usize, token: &str| heard[at].1.contains(&format!(r#""NextToken":"{token}""#));
    assert!(heard.len() == 3 && is_after(1, "second") && is_after(2, "third"), "{heard:?}");
}

#[tokio::test]
async fn a_refusal_means_the_documented_limits_and_is_not_asked_for_again() {
    for code in ["AccessDeniedException", "UnrecognizedClientException", "NoSuchResourceException"] {
        let (account, heard) = asking(move |_| refusal(400, code));
        let news = large(&account).await.unwrap();
        assert_eq!((news.limits, news.is_listed), (ByApi::of(Api::documented), false));
        assert_eq!(news.failed.unwrap().code, code);
        assert_eq!(account.buckets()[Api::CreateSnapshot].holds(), 98);
        another_large_turn(&account).await;
        assert_eq!((account.limits_news(), heard.lock().unwrap().len()), (None, 1));
    }
}

#[tokio::test]
async fn what_is_no_list_means_the_documented_limits() {
    let no_lists: [fn(usize) -> HttpResponse; 5] = [
        |_| answer(200, ""),
        |_| answer(200, "{\"Quotas\":[{\"QuotaName\":"),
        |_| answer(502, "<html>a proxy</html>"),
        |_| page(&RAISED, Some("again")),
        |number| {
            if number == 1 { page(&RAISED, Some("second")) } else { refusal(400, "InvalidPaginationTokenException") }
        },
    ];
    for no_list in no_lists {
        let (account, heard) = asking(no_list);
        let news = large(&account).await;
        assert_eq!(account.buckets()[Api::CreateSnapshot].holds(), 98, "{news:?}");
        assert!(news.is_none_or(|news| news.limits == ByApi::of(Api::documented)));
        assert!(heard.lock().unwrap().len() <= 60);
    }
}

#[tokio::test]
async fn nobody_waits_for_an_answer_that_does_not_come() {
    let mut account = account(&[&creates_work()]);
    account.quotas = Some(settings(SharedHttpClient::new(NeverClient::new())));
    let begun = now();
    assert_eq!(large(&account).await, None, "the next large turn asks again");
    assert!(now().duration_since(begun) < SignedDuration::from_secs(10));
}
