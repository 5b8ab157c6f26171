//! The verdict about each snapshot of ours: the rules in their order, and what stops deletions beside them.

use super::history::Histories;
use super::sets::BrokenSets;
use super::stopped::Stopped;
use super::{brakes, orphan, retain};
use crate::options::{Options, Orphans};
use crate::plan::make::missed;
use crate::plan::ours::{self, Ours};
use crate::plan::{SnapshotDecision, StandsBack, copies};
use crate::policy::Policy;
use crate::world::{Asks, Closer, Coverage, SourceId};
use jiff::Timestamp;

/// What the rules of deletion go by besides the snapshots.
pub(in crate::plan) struct Rules<'r, 'a> {
    pub(in crate::plan) policy: &'a Policy,
    pub(in crate::plan) options: &'r Options,
    pub(in crate::plan) now: Timestamp,
    pub(in crate::plan) coverage: Coverage,
    pub(in crate::plan) closer: &'r Closer,
    pub(in crate::plan) stands_back: Option<StandsBack>,
    pub(in crate::plan) sources: &'r orphan::Sources<'r>,
    pub(in crate::plan) silence: &'r orphan::Silence,
    pub(in crate::plan) windows: &'r missed::Windows<'a>,
    pub(in crate::plan) stopped: &'r Stopped<'r>,
    pub(in crate::plan) copies: &'r copies::Seen<'a>,
    pub(in crate::plan) carries: &'r copies::Carries,
}

/// The verdict about each of `ours`, in their order, by the rules and by what stops deletions beside them, the brake of
/// the run aside.
pub(in crate::plan) fn verdicts<'a>(
    rules: &Rules<'_, 'a>,
    ours: &Ours<'a>,
    broken: &BrokenSets,
    histories: &Histories,
    asks: &mut Asks,
) -> Vec<SnapshotDecision<'a>> {
    let &Rules { policy, options, .. } = rules;
    let mut decisions = retain::decide(rules, ours, histories, broken);
    copies::keep_sources(&mut decisions, (rules.copies, rules.carries), rules.now);
    let takes_the_last = retain::extends_deletion(policy) || matches!(options.orphans, Orphans::Expire(_));
    let floor = |decision: &SnapshotDecision<'_>| {
        let source = ours::source(policy, decision.snapshot);
        if !(takes_the_last && source.is_some_and(|source| rules.sources.fate(source).is_gone_or_missing())) {
            return brakes::Floor::Holds;
        }
        // What outlives its instance is worth its last backup.
        match rules.sources.fate_of_volume(decision.snapshot.volume_id) {
            orphan::Fate::Gone => brakes::Floor::Exempt,
            orphan::Fate::Missing => brakes::Floor::Unproved,
            orphan::Fate::Targeted | orphan::Fate::Untargeted => brakes::Floor::Holds,
        }
    };
    brakes::keep_minimum(&mut decisions, options.minimum_kept, broken, floor);
    retain::release_failed_members(&mut decisions, broken);
    brakes::keep_used(&mut decisions, rules.closer);
    let missing = |decision: &SnapshotDecision<'_>| {
        let source = ours::source(policy, decision.snapshot)?;
        (rules.sources.fate(source) == orphan::Fate::Missing).then_some(source)
    };
    let missing_volume = |decision: &SnapshotDecision<'_>| {
        let volume = decision.snapshot.volume_id;
        let is_missing = rules.sources.fate_of_volume(volume) == orphan::Fate::Missing;
        is_missing.then_some(SourceId::Volume(volume))
    };
    brakes::keep_unproved(&mut decisions, missing, missing_volume, asks);
    if let Coverage::Partial(cut) = rules.coverage {
        brakes::keep_all(&mut decisions, cut);
    }
    if let Some(why) = rules.stands_back {
        brakes::stand_back(&mut decisions, why);
    }
    decisions
}
