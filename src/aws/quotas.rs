//! Asking Service Quotas how fast EC2 may be called: the only file that speaks to it.
//!
//! Promise: whatever it answers, or does not, the turn goes on, at the pace of the documented limits where nothing better is
//! known.

use super::clock::now;
use super::failure;
use super::{Account, client};
use crate::action::{Failed, FailedKind};
use crate::pace::{Api, Asking, ByApi, Limit, LimitsNews, Quota, Quotas};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::config::Builder;
use aws_sdk_servicequotas::types::{PeriodUnit, ServiceQuota};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

/// EC2 has some 1,750 quotas (published lists of accounts, 2026), which are 18 pages; three times as many is a list
/// that does not end.
const PAGES_MAX: usize = 54;
/// The largest page that Service Quotas gives (Service Quotas API reference, ListServiceQuotas: `MaxResults`).
const PAGE: i32 = 100;
/// For a page, and for one with its retries.
const PAGE_ATTEMPT_SECONDS_MAX: u64 = 3;
const PAGE_SECONDS_MAX: u64 = 8;
const ATTEMPTS_MAX: u32 = 3;
/// For the whole list: 18 pages one after the other take about four seconds, and a turn that has reason to ask as long at least.
const LIST_SECONDS_MAX: u64 = 20;
const EC2: &str = "ec2";

/// What came of asking.
#[derive(Debug)]
pub(super) struct Asked {
    asking: Asking,
    limits: ByApi<Limit>,
    is_listed: bool,
    news: Option<LimitsNews>,
}

impl Default for Asked {
    fn default() -> Self {
        Self { asking: Asking::default(), limits: ByApi::of(Api::documented), is_listed: false, news: None }
    }
}

impl Account {
    /// Asks for the account's limits unless that was done lately, and goes on with what is said. Whoever stops waiting for it
    /// leaves everything as it was, and the next one asks again.
    pub(super) async fn ask_limits(&self) {
        let Some(settings) = self.quotas.as_ref().filter(|_| self.asked().asking.is_due(now())) else { return };
        let patience = Duration::from_secs(LIST_SECONDS_MAX);
        let listed = match tokio::time::timeout(patience, list(settings)).await {
            Ok(listed) => listed,
            Err(_) => Err(failure::failed(FailedKind::Unclear, "Timeout", "Service Quotas does not come to an end")),
        };
        let mut asked = self.asked();
        let (unsaid, failed) = match listed {
            Ok(quotas) => {
                (asked.limits, asked.is_listed) = (quotas.limits(), true);
                self.lanes.hold_to(asked.limits);
                (quotas.unsaid(), None)
            }
            Err(failed) => (Vec::new(), Some(failed)),
        };
        match failed.as_ref().map(|failed| failed.kind) {
            // The role, or the endpoint, says the same in an hour.
            None | Some(FailedKind::Denied | FailedKind::Refused) => asked.asking.settled(now()),
            Some(_) => asked.asking.unanswered(now()),
        }
        let (limits, is_listed) = (asked.limits, asked.is_listed);
        asked.news = Some(LimitsNews { limits, is_listed, unsaid, failed });
    }

    /// What was learnt about the limits since the last time that somebody wanted to know.
    #[must_use]
    pub fn limits_news(&self) -> Option<LimitsNews> {
        self.asked().news.take()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        // A few values, each of them whole: whoever panicked while holding them left them so.
        self.lanes.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// EC2's quotas in the account and Region of these settings, as far as they matter.
async fn list(settings: &SdkConfig) -> Result<Quotas, Failed> {
    let client = client_of(settings);
    let mut quotas = Quotas::default();
    let mut token = None;
    for _ in 0..PAGES_MAX {
        let page = client.list_service_quotas().service_code(EC2).max_results(PAGE).set_next_token(token).send().await;
        let page = page.map_err(|error| failure::of(&error))?;
        page.quotas().iter().for_each(|quota| quotas.note(read(quota)));
        token = page.next_token().map(str::to_owned);
        if token.is_none() || quotas.is_complete() {
            return Ok(quotas);
        }
    }
    Err(failure::failed(FailedKind::Refused, "TooManyPages", "the list of EC2's quotas does not end"))
}

/// A client of its own for each list: that is once a day, and its connection need not stay.
fn client_of(settings: &SdkConfig) -> Client {
    let config = Builder::from(settings)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
        .timeout_config(client::timeouts(PAGE_ATTEMPT_SECONDS_MAX, PAGE_SECONDS_MAX));
    Client::from_conf(config.build())
}

fn read(quota: &ServiceQuota) -> Quota<'_> {
    let period = quota
        .period()
        .map(|period| (period.period_value().unwrap_or_default(), period.period_unit().map_or("", PeriodUnit::as_str)));
    Quota { name: quota.quota_name().unwrap_or_default(), value: quota.value(), period }
}
