//! What Service Quotas says about EC2's buckets, as limits.
//!
//! EC2 lists two quotas for each of its actions, `<action> request bucket maximum capacity` and `<action> request bucket refill
//! rate` (EC2 developer guide, "Request throttling for the Amazon EC2 API", "View your current API limits"; so do published
//! lists of accounts). Those of Describe calls without filter and page size have the word `unfiltered` in their names; we make
//! no such calls. docs/decisions/0014 says what of this was never seen on an account.
//!
//! It only sets the pace, so a quota that is not there or cannot be meant leaves the documented number, and no answer is an
//! error. What EC2 then really lets through is learnt from its throttles, whatever a quota said.

#[cfg(test)]
mod tests;

use super::{Api, ByApi, Limit, Rate};
use crate::action::Failed;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// A quota of EC2, as Service Quotas lists it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota<'a> {
    /// Its name.
    pub name: &'a str,
    /// What holds for the account: tokens, or tokens in a period.
    pub value: Option<f64>,
    /// So many of such units, as in `(1, "SECOND")`, where the quota is about a period.
    pub period: Option<(i32, &'a str)>,
}

/// What was read of the list of EC2's quotas so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quotas {
    /// By the call and which of its two numbers it is; `None` where that cannot be meant.
    said: BTreeMap<(Api, Number), Option<NonZeroU32>>,
}

/// Which limits hold since Service Quotas was asked, and whose word that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsNews {
    /// The limits.
    pub limits: ByApi<Limit>,
    /// Whether they are from a list of Service Quotas, and else from EC2's documentation.
    pub is_listed: bool,
    /// The calls of which this list did not say both numbers, or none that can be meant.
    pub unsaid: Vec<Api>,
    /// Why there is no list this time; the limits are those that held before.
    pub failed: Option<Failed>,
}

/// One of the two numbers of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Capacity,
    Refill,
}

/// When Service Quotas is to be asked again about an account in a Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asking {
    not_before: Option<Timestamp>,
}

/// How many times the documented number a quota may be and still be believed. After as many throttles as lead to the slowest
/// rate a limit of this size is down to the documented one, so whatever a quota says, the pace finds back from it. No more than
/// 40 calls of an action go in a second anyway.
const TIMES_DOCUMENTED_MAX: u32 = 1 << Rate::HALVINGS;

/// For how long an answer is good, a refusal too. Service Quotas shows a change of a limit within a day (EC2 developer guide,
/// same page), and few function instances live that long.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long to leave a Service Quotas in peace that did not answer: some turns of a large run.
const NOT_AGAIN_FOR: SignedDuration = SignedDuration::from_mins(10);

impl Quotas {
    /// Reads one more quota. One that stands there twice counts with its smaller number.
    pub fn note(&mut self, quota: Quota<'_>) {
        for api in Api::ALL {
            let Some(number) = number_of(api, quota.name) else { continue };
            let said = calls(quota, number, api.documented());
            let before = self.said.get(&(api, number)).copied().unwrap_or(said);
            self.said.insert((api, number), before.zip(said).map(|(before, said)| before.min(said)));
        }
    }

    /// Whether nothing more can come of the rest of the list.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.said.len() == 2 * Api::ALL.len()
    }

    /// The limits that hold. A call that has a number which cannot be meant keeps both documented ones; a number that is not
    /// listed is the documented one, since Service Quotas leaves out what was never changed where it only knows defaults
    /// (Service Quotas API reference, ListServiceQuotas).
    #[must_use]
    pub fn limits(&self) -> ByApi<Limit> {
        ByApi::of(|api| self.limit(api).unwrap_or(api.documented()))
    }

    fn limit(&self, api: Api) -> Option<Limit> {
        let documented = api.documented();
        let said = |number, documented| self.said.get(&(api, number)).copied().unwrap_or(Some(documented));
        let capacity = said(Number::Capacity, documented.capacity())?;
        said(Number::Refill, documented.refill_per_second()).map(|refill| Limit::new(capacity, refill))
    }

    /// The calls whose two numbers are not both from the list.
    #[must_use]
    pub fn unsaid(&self) -> Vec<Api> {
        let is_said = |key| matches!(self.said.get(&key), Some(Some(_)));
        let is_unsaid = |api: &Api| !is_said((*api, Number::Capacity)) || !is_said((*api, Number::Refill));
        Api::ALL.into_iter().filter(is_unsaid).collect()
    }
}

impl Asking {
    /// Whether to ask now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        // An instant further ahead is one of a clock that was wrong.
        self.not_before.is_none_or(|not_before| now >= not_before || not_before.duration_since(now) > GOOD_FOR)
    }

    /// There was an answer, or a refusal that will stay.
    pub fn settled(&mut self, now: Timestamp) {
        self.not_before = now.checked_add(GOOD_FOR).ok();
    }

    /// There was none.
    pub fn unanswered(&mut self, now: Timestamp) {
        self.not_before = now.checked_add(NOT_AGAIN_FOR).ok();
    }
}

/// Which number of a call's limit a quota of this name is. Case and spacing do not matter; another word more or less is
/// another quota.
fn number_of(api: Api, name: &str) -> Option<Number> {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    let (first, rest) = words.split_first()?;
    if *first != api.name().to_lowercase() {
        return None;
    }
    match rest.join(" ").as_str() {
        "request bucket maximum capacity" => Some(Number::Capacity),
        "request bucket refill rate" => Some(Number::Refill),
        _ => None,
    }
}

/// The number that a quota means, rounded down and never less than one, without which nothing would go: part of a token is no
/// call. `None` for none, nothing, no number, one that is too large to be meant, and a rate that is not one of a second.
fn calls(quota: Quota<'_>, number: Number, documented: Limit) -> Option<NonZeroU32> {
    let documented = match number {
        Number::Capacity => documented.capacity(),
        Number::Refill => documented.refill_per_second(),
    };
    let is_of_a_second = quota.period.is_none_or(|period| period == (1, "SECOND"));
    let most = f64::from(documented.get().saturating_mul(TIMES_DOCUMENTED_MAX));
    let value = quota.value.filter(|value| *value > 0.0 && *value <= most && is_of_a_second)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is above 0 and at most `most`")]
    let whole = value.floor() as u32;
    NonZeroU32::new(whole.max(1))
}
