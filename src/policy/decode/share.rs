//! `ShareRules` of a schedule.

use super::super::CreateRule;
use super::amount::{Amount, Limits, Span};
use super::node::{Field, Node};
use super::pattern;
use super::shape;
use super::spacing;
use std::cmp::Ordering;

/// The most accounts that one rule can share with. The model has no limit; EC2 takes 500 in one
/// `ModifySnapshotAttribute`, and this one only bounds the work on a hostile document.
const ACCOUNTS_MAX: usize = 500;

/// Reads after how long sharing ends, if it does.
pub(super) fn read(node: &Node<'_>) -> Option<Span> {
    let rules = node.list(0..=1, |entry| {
        entry.object(&shape::SHARE_RULE, |rule| {
            rule.take("TargetAccounts").list(1..=ACCOUNTS_MAX, |account| account.matching(&pattern::ACCOUNT));
            let unshare = Span::read(rule, ["UnshareInterval", "UnshareIntervalUnit"], &Limits::KEEP);
            let has_one = rule.at("UnshareInterval").is_empty() != rule.at("UnshareIntervalUnit").is_empty();
            if has_one {
                rule.node().error("expected UnshareInterval and UnshareIntervalUnit together or neither");
            }
            match unshare {
                Field::Absent => Some(None),
                Field::Invalid => None,
                Field::Given(span) => Some(Some(span)),
            }
        })
    });
    rules.given()?.into_iter().next().flatten()
}

/// Checks that sharing ends before the snapshot does (V8), for an age and for a count alike.
pub(super) fn check(node: &Node<'_>, unshare: Span, retain: Amount, create: Option<&CreateRule>) {
    let is_late = match retain {
        Amount::Age(age) => matches!(unshare.compare(age), Some(Ordering::Equal | Ordering::Greater)),
        Amount::Count(count) => create
            .and_then(|create| spacing::days(create, count))
            .and_then(|(_, most)| u64::try_from(most).ok())
            .is_some_and(|most| unshare.days_least() >= most),
    };
    if is_late {
        node.error(format!("sharing ends after {unshare}, expected less than the RetainRule of {retain}"));
    }
}
