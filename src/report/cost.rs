//! What the snapshots of a policy cost at most.
//!
//! Promise: every sum of money says that it is an upper bound. EC2 tells the full size of each snapshot, and EBS bills a block
//! once however many snapshots hold it (Amazon EBS User Guide, "How snapshots work"), so nobody but the bill knows the rest.

use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The full size of what a policy has in the standard tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cost {
    /// How many complete snapshots there are, those of `RunNow` and orphans among them.
    pub snapshots: u64,
    /// The full size of all of them, in bytes.
    pub full_size_bytes: u64,
    /// Of them, those that `RunNow` made.
    pub run_now_snapshots: u64,
    /// Their full size, in bytes.
    pub run_now_bytes: u64,
}

/// The same with what it comes to at the documented price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CostReport {
    /// The sizes.
    #[serde(flatten)]
    pub cost: Cost,
    /// What they cost at most, in words.
    pub at_most: String,
}

impl Cost {
    /// What a plan saw that is complete; what goes now costs until it is gone.
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        let mut cost = Self::default();
        for decision in &plan.snapshots {
            let snapshot = decision.snapshot;
            if !snapshot.is_restorable() {
                continue;
            }
            cost.snapshots += 1;
            cost.full_size_bytes = cost.full_size_bytes.saturating_add(snapshot.full_size_bytes);
            if snapshot.marks.is_run_now() {
                cost.run_now_snapshots += 1;
                cost.run_now_bytes = cost.run_now_bytes.saturating_add(snapshot.full_size_bytes);
            }
        }
        cost
    }

    /// This and that of another run.
    pub(super) fn add(&mut self, more: &Self) {
        let Self { snapshots, full_size_bytes, run_now_snapshots, run_now_bytes } = more;
        self.snapshots = self.snapshots.saturating_add(*snapshots);
        self.full_size_bytes = self.full_size_bytes.saturating_add(*full_size_bytes);
        self.run_now_snapshots = self.run_now_snapshots.saturating_add(*run_now_snapshots);
        self.run_now_bytes = self.run_now_bytes.saturating_add(*run_now_bytes);
    }

    /// As a report tells it.
    pub(super) fn told(self) -> CostReport {
        CostReport { cost: self, at_most: at_most(self.full_size_bytes, Price::DOCUMENTED) }
    }
}

/// A price of a GiB for a month, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(u32);

impl Price {
    /// The standard tier in us-east-1: Amazon EBS User Guide, "Pricing and billing for archiving Amazon EBS snapshots" (0.05 a GB
    /// and month; shared/reference/aws.md). Most Regions take a little more.
    pub const DOCUMENTED: Self = Self(50_000);
}

/// Why a text is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a price, expected US dollars for a GiB and month such as 0.05, at most 999 with 6 decimals")]
pub struct NotAPrice(String);

impl FromStr for Price {
    type Err = NotAPrice;

    fn from_str(text: &str) -> Result<Self, NotAPrice> {
        let not_a_price = || NotAPrice(text.to_owned());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str, length_max| {
            (1..=length_max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 3) || !is_number(decimals, 6) {
            return Err(not_a_price());
        }
        format!("{whole}{decimals:0<6}").parse().map(Self).map_err(|_| not_a_price())
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        let (whole, decimals) = text.split_once('.').expect("there is a point in it");
        write!(f, "{whole}.{:0<2}", decimals.trim_end_matches('0'))
    }
}

/// What so many bytes cost at most in a month. Both numbers are rounded up.
#[must_use]
pub fn at_most(bytes: u64, price: Price) -> String {
    let bytes = u128::from(bytes);
    let tenths = (bytes * 10).div_ceil(GIB);
    let cents = (bytes * u128::from(price.0)).div_ceil(GIB * 10_000);
    format!(
        "at most {}.{} GiB-months each month, {}.{:02} USD at {price} a GiB-month (an upper bound: EBS bills changed blocks only)",
        tenths / 10,
        tenths % 10,
        cents / 100,
        cents % 100
    )
}

const GIB: u128 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: u64, price: &str, expected: &str) {
        let expected = format!("{expected} a GiB-month (an upper bound: EBS bills changed blocks only)");
        assert_eq!(at_most(bytes, price.parse().unwrap()), expected);
    }

    #[test]
    fn bytes_become_gib_months_and_money_rounded_up() {
        check(0, "0.05", "at most 0.0 GiB-months each month, 0.00 USD at 0.05");
        check(1, "0.05", "at most 0.1 GiB-months each month, 0.01 USD at 0.05");
        check(24 << 30, "0.05", "at most 24.0 GiB-months each month, 1.20 USD at 0.05");
        check(24 << 30, "0.0525", "at most 24.0 GiB-months each month, 1.26 USD at 0.0525");
        check(1 << 40, "1", "at most 1024.0 GiB-months each month, 1024.00 USD at 1.00");
        check(
            u64::MAX,
            "999.999999",
            "at most 17179869184.0 GiB-months each month, 17179869166820.14 USD at 999.999999",
        );
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in ["", ".", "0,05", "-1", "1e3", "0.", ".5", "1000", "0.0000001", "0.05 USD"] {
            assert_eq!(text.parse::<Price>(), Err(NotAPrice(text.to_owned())));
        }
        assert_eq!("0.05".parse(), Ok(Price::DOCUMENTED));
    }
}
