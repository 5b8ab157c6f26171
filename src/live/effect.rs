//! What an edit does to the account: the plan of the next run by the old event beside that by the new one.

use crate::plan::{KeepReason, OrphanCount, Plan, SnapshotVerdict};
use crate::world::{SnapshotId, SnapshotState, VolumeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What the next run of a policy does, as far as it matters for a change of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    /// When that run starts; `None` when nothing will start it.
    pub at: Option<Timestamp>,
    /// The volumes or instances that it makes snapshots of.
    pub targets: usize,
    /// The complete snapshots of the policy: what can be restored.
    pub backups: usize,
    /// When the newest of them began.
    pub newest: Option<Timestamp>,
    /// The size of all that is in the policy's snapshots: what they cost at most.
    pub bytes: u64,
    /// What it deletes, at once or when its own snapshots are complete.
    pub goes: BTreeMap<SnapshotId, Going>,
    /// Snapshots that a brake keeps, or that wait for a consent.
    pub held_back: usize,
    /// Snapshots that nothing manages.
    pub orphans: usize,
}

/// A snapshot that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// What it was made of.
    pub volume: VolumeId,
    /// The size of all that is in it: what its deletion frees at most.
    pub bytes: u64,
}

impl Outlook {
    /// What a plan says.
    #[must_use]
    pub fn of(plan: &Plan<'_>, at: Timestamp) -> Self {
        let goes = plan
            .snapshots
            .iter()
            .filter(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_)) || decision.goes_later.is_some());
        let going =
            |snapshot: &crate::world::Snapshot| Going { volume: snapshot.volume_id, bytes: snapshot.full_size_bytes };
        let complete = || {
            let all = plan.snapshots.iter().map(|decision| decision.snapshot);
            all.filter(|snapshot| snapshot.state == SnapshotState::Completed)
        };
        let is_held_back = |verdict: &SnapshotVerdict<'_>| {
            matches!(verdict, SnapshotVerdict::Keep(KeepReason::Brake { .. } | KeepReason::AwaitsConsent { .. }))
        };
        Self {
            at: Some(at),
            targets: plan.targets.iter().map(|decision| decision.target.id()).collect::<BTreeSet<_>>().len(),
            backups: complete().count(),
            newest: complete().map(|snapshot| snapshot.start_time).max(),
            bytes: plan.snapshots.iter().map(|decision| decision.snapshot.full_size_bytes).sum(),
            goes: goes.map(|decision| (decision.snapshot.id, going(decision.snapshot))).collect(),
            held_back: plan.snapshots.iter().filter(|decision| is_held_back(&decision.verdict)).count(),
            orphans: orphans(&plan.orphans),
        }
    }
}

/// All of them, whatever made them orphans.
fn orphans(count: &OrphanCount) -> usize {
    count.without_schedule
        + count.of_gone_sources
        + count.of_untargeted_sources
        + count.of_excluded_volumes
        + count.of_other_kind
        + count.doubted
        + count.without_expiration
}

/// What a change of a policy does at its next run, a line each.
#[must_use]
pub fn told(old: Option<&Outlook>, new: &Outlook) -> Vec<String> {
    let nothing = Outlook::default();
    let before = old.unwrap_or(&nothing);
    let mut lines = Vec::new();
    if new.at.is_none() {
        return vec!["nothing is made or deleted: the policy is disabled, or its times are over".to_owned()];
    }
    match old {
        Some(old) if old.at.is_some() && old.targets != new.targets => {
            lines.push(format!("targets: {} -> {}", old.targets, new.targets))
        }
        _ => lines.push(format!("targets: {}", new.targets)),
    }
    if new.targets == 0 {
        lines.push("nothing carries a target tag: the next run makes no snapshot".to_owned());
    }
    let goes_only_now: Vec<&Going> =
        new.goes.iter().filter(|(id, _)| !before.goes.contains_key(*id)).map(|(_, going)| going).collect();
    let stays_only_now = before.goes.keys().filter(|id| !new.goes.contains_key(*id)).count();
    let when = new.at.map_or_else(String::new, |at| format!(", {}", crate::tags::written(at)));
    if !goes_only_now.is_empty() {
        let volumes: BTreeSet<&VolumeId> = goes_only_now.iter().map(|going| &going.volume).collect();
        let bytes: u64 = goes_only_now.iter().map(|going| going.bytes).sum();
        lines.push(format!(
            "{} of {} {} at the next run{when}: at most {}",
            counted(goes_only_now.len(), "snapshot"),
            counted(volumes.len(), "volume"),
            if goes_only_now.len() == 1 { "goes" } else { "go" },
            size(bytes)
        ));
    }
    if stays_only_now > 0 {
        let verb = if stays_only_now == 1 { "stays" } else { "stay" };
        lines.push(format!("{} {verb} that would have gone at the next run", counted(stays_only_now, "snapshot")));
    }
    if new.orphans > before.orphans {
        let more = new.orphans - before.orphans;
        let verb = if more == 1 { "is" } else { "are" };
        lines.push(format!("{} {verb} managed by nothing any more (Options.Orphans)", counted(more, "snapshot")));
    }
    if new.held_back > 0 {
        let verb = if new.held_back == 1 { "is" } else { "are" };
        lines.push(format!("{} {verb} held back by a brake or for a consent", counted(new.held_back, "snapshot")));
    }
    lines
}

/// `1 snapshot`, `2 snapshots`.
#[must_use]
pub fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// How long ago something was, in the largest unit that fits twice: `40 min`, `22 h`, `3 d`.
#[must_use]
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(then).as_mins().max(0);
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    }
}

/// As people read sizes: `1.1 TiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "bytes";
    for larger in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths = (tenths + 512) / 1024;
        unit = larger;
    }
    if unit == "bytes" || tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}
