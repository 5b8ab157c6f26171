//! What only an account shows: measured, and told in a form that can be reported back (docs/unseen-on-aws.md).

use super::{Gathered, Line, Look, PolicySeen, ok, unknown, unseen};
use crate::live::effect::counted;
use crate::world::SnapshotId;
use std::collections::BTreeMap;

/// How EC2 lists the snapshots of a policy by their tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// How many there are.
    pub snapshots: usize,
    /// In how many pages.
    pub pages: usize,
    /// How many of those held nothing.
    pub empty_pages: usize,
    /// How many have each `TransferType`; `absent` where EC2 sends none.
    pub transfer_types: BTreeMap<String, usize>,
    /// How many ids have so many hexadecimal digits; those of another form under 0.
    pub id_lengths: BTreeMap<usize, usize>,
    /// Whether the listing shows what its id shows.
    pub newest: Newest,
}

/// Whether a listing shows the newest snapshot that a run began, which EC2 shows by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Newest {
    /// Nothing was made in the last minutes, so it proves nothing.
    #[default]
    NotFresh,
    /// By both at the first look, so many seconds after it was begun.
    Shown {
        /// Which one.
        id: SnapshotId,
        /// Its age then.
        age_seconds: i64,
    },
    /// By its id at once, and by the listing so many seconds later.
    ShownLater {
        /// Which one.
        id: SnapshotId,
        /// How many seconds later.
        seconds: u64,
    },
    /// By its id, and by the listing not within so many seconds.
    NotShown {
        /// Which one.
        id: SnapshotId,
        /// How long was waited.
        seconds: u64,
    },
}

/// Which of the quotas that opendlm asks for are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaNames {
    /// The actions of which both numbers are.
    pub listed: Vec<&'static str>,
    /// The others.
    pub unlisted: Vec<&'static str>,
}

/// What EC2 sends as `TransferType` of what was made of a volume (docs/unseen-on-aws.md, 4).
const TRANSFER_TYPES: [&str; 3] = ["absent", "standard", "time-based"];
/// How many hexadecimal digits an id has: 17, and 8 where it is from before 2016 (EC2 User Guide, "Resource IDs").
const ID_LENGTHS: [usize; 2] = [8, 17];
const REPORT: &str = "report it: nobody has seen that, and opendlm may take it wrong";

/// What the listing of a policy shows.
pub(super) fn lines(seen: &PolicySeen) -> Vec<Line> {
    let how = "docs/unseen-on-aws.md tells the commands";
    let listing = match unseen(&seen.listing, "listing", how, how) {
        Ok(listing) => listing,
        Err(line) => return vec![line],
    };
    let Listing { snapshots, pages, empty_pages, transfer_types, id_lengths, newest } = listing;
    let told =
        format!("{} in {}, of which {empty_pages} empty", counted(*snapshots, "snapshot"), counted(*pages, "page"));
    let mut lines = vec![ok("listing", told), newest_shown(*newest)];
    let is_known = transfer_types.keys().all(|kind| TRANSFER_TYPES.contains(&kind.as_str()));
    let says = counts(transfer_types);
    lines.push(if is_known { ok("transfer types", says) } else { unknown("transfer types", says, REPORT) });
    let is_known = id_lengths.keys().all(|length| ID_LENGTHS.contains(length));
    let says = format!("how many have so many hexadecimal digits: {}", counts(id_lengths));
    lines.push(if is_known { ok("ids", says) } else { unknown("ids", says, REPORT) });
    lines
}

fn newest_shown(newest: Newest) -> Line {
    const ABOUT: &str = "listing lag";
    match newest {
        Newest::NotFresh => unknown(
            ABOUT,
            "not measured: no run has just begun a snapshot",
            "opendlm start POLICY, and look at that policy again while it is at work",
        ),
        Newest::Shown { id, age_seconds } => {
            ok(ABOUT, format!("{id}, {age_seconds} s old, was listed at the first look"))
        }
        Newest::ShownLater { id, seconds } => ok(ABOUT, format!("{id} was listed {seconds} s after its id showed it")),
        Newest::NotShown { id, seconds } => unknown(
            ABOUT,
            format!("{id} is shown by its id, and by its tag not within {seconds} s"),
            "look again in two minutes; if it stays, the endpoint does not filter as EC2 does: report it",
        ),
    }
}

/// The names of the quotas, and all that was measured in one line.
pub(super) fn of_account(gathered: &Gathered) -> Vec<Line> {
    const ABOUT: &str = "quotas";
    let how = "aws service-quotas list-service-quotas --service-code ec2";
    let quotas = match unseen(&gathered.quotas, ABOUT, how, how) {
        Ok(QuotaNames { unlisted, .. }) if unlisted.is_empty() => {
            ok(ABOUT, "EC2's request limits are listed under the names that opendlm knows")
        }
        Ok(QuotaNames { unlisted, .. }) => unknown(
            ABOUT,
            format!(
                "not listed under the names that opendlm knows: {}; the documented limits are used",
                unlisted.join(", ")
            ),
            format!("{how} shows the names; report them"),
        ),
        Err(line) => line,
    };
    let listings = gathered.policies.iter().filter_map(|seen| match &seen.listing {
        Look::Seen(listing) => Some(listing),
        Look::Unknown(_) | Look::Wrong(_) => None,
    });
    let listings: Vec<&Listing> = listings.collect();
    if listings.is_empty() {
        return vec![quotas];
    }
    vec![quotas, ok("to report back", reported(&listings, gathered))]
}

/// What helps others, without an id or a name of the account.
fn reported(listings: &[&Listing], gathered: &Gathered) -> String {
    let sum = |of: fn(&Listing) -> usize| listings.iter().map(|listing| of(listing)).sum::<usize>();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    for listing in listings {
        listing.transfer_types.iter().for_each(|(kind, count)| *kinds.entry(kind).or_default() += count);
        listing.id_lengths.iter().for_each(|(length, count)| *lengths.entry(*length).or_default() += count);
    }
    let lags = listings.iter().filter_map(|listing| match listing.newest {
        Newest::NotFresh => None,
        Newest::Shown { .. } => Some("0".to_owned()),
        Newest::ShownLater { seconds, .. } => Some(seconds.to_string()),
        Newest::NotShown { seconds, .. } => Some(format!("more-than-{seconds}")),
    });
    let lags: Vec<String> = lags.collect();
    let quotas = match &gathered.quotas {
        Look::Seen(QuotaNames { listed, unlisted }) => format!("{}-of-{}", listed.len(), listed.len() + unlisted.len()),
        Look::Unknown(_) | Look::Wrong(_) => "unknown".to_owned(),
    };
    format!(
        "snapshots={} pages={} empty-pages={} transfer-types={} id-digits={} lag-seconds={} quotas={quotas}",
        sum(|listing| listing.snapshots),
        sum(|listing| listing.pages),
        sum(|listing| listing.empty_pages),
        counts(&kinds).replace(' ', ""),
        counts(&lengths).replace(' ', ""),
        if lags.is_empty() { "unknown".to_owned() } else { lags.join(",") },
    )
}

/// `standard:3, absent:1`, by name.
fn counts<K: std::fmt::Display>(counts: &BTreeMap<K, usize>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let each: Vec<String> = counts.iter().map(|(what, count)| format!("{what}:{count}")).collect();
    each.join(", ")
}
