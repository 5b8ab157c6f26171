//! Measuring what only an account shows, for `opendlm doctor`: how listings come, the clock, the keys of volumes.

use super::filters::filter;
use super::paging::{PAGE_ITEMS_MAX, Pages};
use super::volumes;
use crate::action::{Failed, FailedKind};
use crate::aws::{Account, CallFailed, ObserveError, client, clock, failure};
use crate::doctor::Look;
use crate::doctor::measured::{Listing, Newest, QuotaNames};
use crate::pace::{Api, LimitsNews};
use crate::policy::PolicyId;
use crate::tags;
use crate::world::{SnapshotId, VolumeId};
use aws_sdk_ec2::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_sdk_ec2::types;
use jiff::{SignedDuration, Timestamp};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// For how long a listing is asked again for what its id shows. EC2's lists are said to show everything within two minutes; whoever
/// waits at a terminal waits for less.
const LAG_SECONDS_MAX: u64 = 45;
/// For the call whose answer has the time on it.
const CLOCK_SECONDS_MAX: u64 = 5;

impl Account {
    /// How EC2 lists the snapshots that carry a policy's tag, and whether that shows the newest of `begun`.
    ///
    /// # Errors
    /// When a listing fails.
    pub async fn measured(&self, policy: &PolicyId, begun: &BTreeSet<SnapshotId>) -> Result<Listing, ObserveError> {
        let mut listing = Listing::default();
        let ids = self.list_once(policy, |page| note(&mut listing, page)).await?;
        let ids_begun: Vec<SnapshotId> = begun.iter().copied().collect();
        let shown = self.snapshots_by_id(&ids_begun).await;
        let shown = shown.map_err(|failed| ObserveError::of("DescribeSnapshots", failed))?.shown;
        let began = |snapshot: &types::Snapshot| {
            Some((super::read_time(snapshot.start_time()?)?, super::by_id::id_of(snapshot)?))
        };
        if let Some((began, id)) = shown.iter().filter_map(began).max() {
            listing.newest = self.newest(policy, (id, began), ids.contains(&id)).await?;
        }
        Ok(listing)
    }

    /// When the listing shows a snapshot that EC2 shows by its id.
    async fn newest(
        &self,
        policy: &PolicyId,
        (id, began): (SnapshotId, Timestamp),
        is_listed: bool,
    ) -> Result<Newest, ObserveError> {
        if is_listed {
            return Ok(Newest::Shown { id, age_seconds: clock::now().duration_since(began).as_secs() });
        }
        for seconds in 1..=LAG_SECONDS_MAX {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.list_once(policy, |_| {}).await?.contains(&id) {
                return Ok(Newest::ShownLater { id, seconds });
            }
        }
        Ok(Newest::NotShown { id, seconds: LAG_SECONDS_MAX })
    }

    async fn list_once(
        &self,
        policy: &PolicyId,
        mut on_page: impl FnMut(&[types::Snapshot]),
    ) -> Result<BTreeSet<SnapshotId>, ObserveError> {
        let of_policy = filter(&format!("tag:{}", tags::POLICY_ID), vec![policy.to_string()]);
        let call = self.client.describe_snapshots().owner_ids("self").filters(of_policy).max_results(PAGE_ITEMS_MAX);
        let (mut ids, mut pages) = (BTreeSet::new(), Pages::default());
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let _permit = self.lanes.of(Api::DescribeSnapshots).admit().await;
            let page = call.clone().set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeSnapshots", failure::of(&error)))?;
            on_page(page.snapshots());
            ids.extend(page.snapshots().iter().filter_map(super::by_id::id_of));
            pages.turn(page.next_token(), page.snapshots().len());
        }
        Ok(ids)
    }

    /// The keys of those of these volumes that are encrypted. EC2 names the key of each; an endpoint that does not leaves it as
    /// unproven as one that nobody knows.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn keys_of(&self, ids: &[VolumeId]) -> Result<BTreeMap<VolumeId, String>, ObserveError> {
        let keys = RefCell::new(BTreeMap::new());
        self.find_volumes_noting("volume-id", ids, volumes::read_without_tags, |volume| {
            let unnamed = (volume.encrypted() == Some(true)).then_some(KEY_UNNAMED);
            if let (Some(id), Some(key)) =
                (volume.volume_id().and_then(VolumeId::parse), volume.kms_key_id().or(unnamed))
            {
                keys.borrow_mut().insert(id, key.to_owned());
            }
        })
        .await?;
        Ok(keys.into_inner())
    }

    /// By how much this machine's clock is ahead of EC2's, by the Date header of an answer, a refusal too.
    pub async fn clock_ahead(&self) -> Look<SignedDuration> {
        let dated = Dated::default();
        let call = self.client.describe_volumes().dry_run(true).max_results(FEWEST_RESULTS);
        let once = client::never_repeated(CLOCK_SECONDS_MAX).interceptor(dated.clone());
        // What it answers does not matter, only when.
        let _ = call.customize().config_override(once).send().await;
        match dated.0.get() {
            Some(ahead) => Look::Seen(*ahead),
            None => Look::Unknown("no answer of EC2 has a Date that can be read".to_owned()),
        }
    }

    /// Which of EC2's request limits Service Quotas lists under the names that opendlm knows.
    pub async fn quota_names(&self) -> Look<QuotaNames> {
        self.ask_limits().await;
        match self.limits_news() {
            None => Look::Unknown("Service Quotas is not asked, OPENDLM_API_LIMITS says so".to_owned()),
            Some(LimitsNews { failed: Some(failed), .. }) => Look::Unknown(not_listed(failed)),
            Some(LimitsNews { unsaid, .. }) => {
                let (unlisted, listed): (Vec<Api>, Vec<Api>) =
                    Api::ALL.into_iter().partition(|api| unsaid.contains(api));
                let names = |apis: Vec<Api>| apis.into_iter().map(Api::name).collect();
                Look::Seen(QuotaNames { listed: names(listed), unlisted: names(unlisted) })
            }
        }
    }
}

/// The smallest page that EC2 accepts (EC2 API reference, DescribeVolumes: `MaxResults`, 5).
const FEWEST_RESULTS: i32 = 5;

/// What stands for a key that is not in the answer.
const KEY_UNNAMED: &str = "a key that EC2 does not name";

/// Why Service Quotas says nothing, and the right that is missing where it is that.
fn not_listed(Failed { kind, code, message }: Failed) -> String {
    let failed = CallFailed { call: "ListServiceQuotas", code, message };
    match kind {
        FailedKind::Denied => format!("{failed}; the right servicequotas:ListServiceQuotas is missing"),
        FailedKind::AccountFull
        | FailedKind::Expired
        | FailedKind::Refused
        | FailedKind::Throttled
        | FailedKind::TooManyPending
        | FailedKind::TooSoon
        | FailedKind::Unclear => failed.to_string(),
    }
}

fn note(listing: &mut Listing, page: &[types::Snapshot]) {
    listing.pages += 1;
    listing.empty_pages += usize::from(page.is_empty());
    listing.snapshots += page.len();
    for snapshot in page {
        let kind = snapshot.transfer_type().map_or("absent", types::TransferType::as_str);
        *listing.transfer_types.entry(kind.to_owned()).or_default() += 1;
        let digits = snapshot.snapshot_id().and_then(|id| id.strip_prefix("snap-")).unwrap_or_default();
        let length = if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) { digits.len() } else { 0 };
        *listing.id_lengths.entry(length).or_default() += 1;
    }
}

/// Notes by how much our clock is ahead of the Date of an answer, which knows seconds only: half of one is added.
#[derive(Debug, Clone, Default)]
struct Dated(Arc<OnceLock<SignedDuration>>);

impl Intercept for Dated {
    fn name(&self) -> &'static str {
        "Dated"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
        if let Some(date) = date.and_then(|date| parser.parse_timestamp(date).ok()) {
            let ahead = clock::now().duration_since(date) - SignedDuration::from_millis(500);
            // The first answer counts: there is only one.
            let _ = self.0.set(ahead);
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
