//! The copies in other Regions, as a report tells them.

use super::told::counted;
use super::words::Line;
use super::{FailureReport, line, words};
use crate::options::Options;
use crate::plan::Plan;
use crate::plan::copies::{self, CopyVerdict, CopyWait, GaveUp, LeftTo, Lost, RegionPlan, Wanted};
use crate::plan::{KeepReason, SnapshotVerdict};
use crate::tags::written;
use crate::turn;
use crate::turn::progress::{FAILURES_MAX, Progress};
use crate::turn::subject::Subject;
use crate::world::{Snapshot, SnapshotId, SnapshotState};
use serde::{Deserialize, Serialize};

/// What there is to say of the copies in one Region.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CopiesReport {
    /// The Region; `all` where there is no room for each.
    pub region: String,
    /// How many copies the run began.
    pub begun: u64,
    /// Of them, those that are complete. EC2 shows them so: an accepted call is no copy.
    pub completed: u64,
    /// How many copies are under way, whoever began them.
    pub under_way: u64,
    /// How many are to be begun when there is room.
    pub queued: u64,
    /// How many a later run begins, or the one that made their snapshots.
    pub left_to_others: u64,
    /// How many this run gave up.
    pub given_up: u64,
    /// How many promised copies there are not and will not be, those that an earlier run gave up among them.
    pub lacking: u64,
    /// How many copies the run deleted.
    pub deleted: u64,
    /// How many copies were to be deleted and could not be.
    pub not_deleted: u64,
    /// How many complete copies there are.
    pub complete: u64,
    /// Their full size in bytes: what they cost at most.
    pub full_size_bytes: u64,
    /// Those that nothing manages any more: no rule copies them, their tags are not believed or do not say whose they are, or they have
    /// expired and are the last ones of a volume or schedule that is gone.
    pub orphans: u64,
    /// Their full size in bytes.
    pub orphan_bytes: u64,
    /// Why nothing is known of the Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
}

/// One for each Region that is looked at, or should be.
pub(super) fn of(plan: &Plan<'_>, progress: &Progress, failures: &[FailureReport]) -> Vec<CopiesReport> {
    plan.regions.iter().map(|region| of_region(region, progress, failures)).collect()
}

fn of_region(region: &RegionPlan<'_>, progress: &Progress, failures: &[FailureReport]) -> CopiesReport {
    let name = region.region.to_string();
    let is_there = |failure: &&FailureReport| failure.resource.ends_with(&format!("@{name}"));
    let of_call = |call: &str| {
        let of_call = failures.iter().filter(|failure| failure.action == call).filter(is_there);
        number(of_call.count())
    };
    let mut report = CopiesReport {
        begun: progress.copies.begun_in.get(&name).copied().unwrap_or(0),
        deleted: progress.copies.deleted_in.get(&name).copied().unwrap_or(0),
        given_up: of_call("CopySnapshot"),
        not_deleted: of_call("DeleteSnapshot"),
        unseen: region.unseen.as_ref().map(|unseen| line(format!("{}: {}", unseen.code, unseen.message))),
        ..CopiesReport::default()
    };
    for wanted in &region.wanted {
        match &wanted.verdict {
            CopyVerdict::Begin { .. } => report.queued += 1,
            CopyVerdict::Wait(CopyWait::AfterFailure { .. } | CopyWait::TakenOver { .. } | CopyWait::Unseen) => {
                report.queued += 1;
            }
            CopyVerdict::Wait(CopyWait::LeftTo(_)) => report.left_to_others += 1,
            CopyVerdict::GivenUp { .. } => report.lacking += 1,
            CopyVerdict::Done(_)
            | CopyVerdict::UnderWay { .. }
            | CopyVerdict::Wait(CopyWait::SourceNotComplete { .. }) => {}
        }
    }
    let is_of_run = |copy: &Snapshot| copy.marks.stamp.value().is_some_and(|stamp| stamp.called >= progress.begun);
    for decision in &region.copies {
        let copy = decision.snapshot;
        report.under_way += u64::from(copy.state == SnapshotState::Pending);
        if !copy.is_restorable() {
            continue;
        }
        report.complete += 1;
        report.full_size_bytes = report.full_size_bytes.saturating_add(copy.full_size_bytes);
        report.completed += u64::from(is_of_run(copy));
        let is_unmanaged =
            matches!(decision.verdict, SnapshotVerdict::Keep(KeepReason::NoCopyRule | KeepReason::Doubted(_)));
        if is_unmanaged || region.left_behind.contains(&copy.id) {
            report.orphans += 1;
            report.orphan_bytes = report.orphan_bytes.saturating_add(copy.full_size_bytes);
        }
    }
    report.orphans += number(region.foreign);
    report.orphan_bytes = report.orphan_bytes.saturating_add(region.foreign_bytes);
    report.completed = report.completed.min(report.begun);
    CopiesReport { region: name, ..report }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl CopiesReport {
    /// This and that of another run, or of another Region.
    pub(super) fn add(&mut self, more: &Self) {
        let Self {
            region: _,
            begun,
            completed,
            under_way,
            queued,
            left_to_others,
            given_up,
            lacking,
            deleted,
            not_deleted,
            complete,
            full_size_bytes,
            orphans,
            orphan_bytes,
            unseen,
        } = more;
        let counts = [
            (&mut self.begun, begun),
            (&mut self.completed, completed),
            (&mut self.under_way, under_way),
            (&mut self.queued, queued),
            (&mut self.left_to_others, left_to_others),
            (&mut self.given_up, given_up),
            (&mut self.lacking, lacking),
            (&mut self.deleted, deleted),
            (&mut self.not_deleted, not_deleted),
            (&mut self.complete, complete),
            (&mut self.full_size_bytes, full_size_bytes),
            (&mut self.orphans, orphans),
            (&mut self.orphan_bytes, orphan_bytes),
        ];
        for (count, more) in counts {
            *count = count.saturating_add(*more);
        }
        self.unseen = self.unseen.take().or_else(|| unseen.clone());
    }

    /// All Regions in one.
    pub(super) fn total(reports: &[Self]) -> Self {
        let mut total = Self { region: "all".to_owned(), ..Self::default() };
        reports.iter().for_each(|report| total.add(report));
        total
    }

    /// What a person reads: `eu-west-2: 12 copies complete, 3 under way, 5 queued`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let some = |count: u64, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let complete = counted(usize::try_from(self.complete).unwrap_or(usize::MAX), "complete copy");
        let complete = if self.complete == 1 { complete } else { format!("{} complete copies", self.complete) };
        let known = match &self.unseen {
            Some(unseen) => format!("not seen ({unseen})"),
            None => complete,
        };
        let parts = [
            Some(known),
            some(self.under_way, "under way"),
            some(self.queued, "to begin"),
            some(self.left_to_others, "left to another run"),
            some(self.lacking, "promised and lacking"),
            some(self.orphans, "that nothing manages"),
        ];
        format!("{}: {}", self.region, parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What failed in other Regions and is told by this run: copies that it gives up, and Regions that it could not look at.
/// `is_over` says that nothing more will be tried.
pub(super) fn failures(options: &Options, plan: &Plan<'_>, progress: &Progress, is_over: bool) -> Vec<FailureReport> {
    let mut failures = Vec::new();
    let withheld = turn::copies::withheld(options, plan, progress);
    if withheld > 0 {
        let message = format!(
            "copies that would go and stay, because Options.MaximumDeletions allows no more: {withheld}; opendlm plan lists them"
        );
        failures.push(failure("DeleteSnapshot", "copies".to_owned(), "MaximumDeletions", message));
    }
    for region in &plan.regions {
        let is_there = |subject: &Subject| subject.in_region().is_some_and(|(_, of)| *of == region.region);
        for lost in progress.copies.lost().filter(|lost| is_there(&lost.subject)) {
            let id = lost.id.as_deref().unwrap_or_default();
            let message = format!(
                "{} is there without the tags that opendlm gave it: somebody changed them; it counts for nothing",
                line(id)
            );
            failures.push(failure("CopySnapshot", lost.subject.to_string(), "CopyNotOurs", message));
        }
        let is_of = |lost: &Lost<'_>, missed: &Subject| Subject::of_copy(&lost.source, &region.region) == *missed;
        let planned = |subject: &&Subject| {
            let is_it = |wanted: &Wanted<'_>| Subject::of_copy(&wanted.source.id, &region.region) == **subject;
            region.wanted.iter().any(is_it) && !region.lost.iter().any(|lost| is_of(lost, subject))
        };
        let missed = progress.copies.missed.iter().filter(|missed| is_there(missed));
        failures.extend(missed.filter(|missed| !planned(missed)).map(|missed| {
            let lost = region.lost.iter().find(|lost| is_of(lost, missed));
            failure("CopySnapshot", missed.to_string(), "CopyMissed", words_of_missed(lost))
        }));
        let unseen = region.unseen.as_ref().filter(|unseen| !unseen.is_not_yet() && region.is_missed());
        if let Some(unseen) = unseen {
            let message = format!("{}; nothing was copied there or deleted", line(&unseen.message));
            failures.push(failure("CopySnapshot", region.region.to_string(), &line(&unseen.code), message));
        }
        let told = region.wanted.iter().filter_map(|wanted| {
            let CopyVerdict::GivenUp { why, is_news: true } = wanted.verdict else { return None };
            let subject = Subject::of_copy(&wanted.source.id, &region.region);
            let is_told = progress.failures.iter().any(|failure| failure.subject == subject);
            let (code, message) = gave_up(why);
            (!is_told).then(|| failure("CopySnapshot", subject.to_string(), code, message))
        });
        failures.extend(told.take(FAILURES_MAX));
        // What EC2 refused is told by itself.
        let is_refused =
            |wanted: &&Wanted<'_>| progress.copies.is_refused(&Subject::of_copy(&wanted.source.id, &region.region));
        let open = region.wanted.iter().filter(|wanted| wanted.is_open() && !is_refused(wanted)).count();
        if is_over && open > 0 && unseen.is_none() {
            let message =
                format!("copies that are not complete when the run ends: {open}; the next run goes on with them");
            failures.push(failure("CopySnapshot", region.region.to_string(), "CopiesOpen", message));
        }
    }
    failures
}

/// Why a copy is missed of which no plan tells.
fn words_of_missed(lost: Option<&Lost<'_>>) -> String {
    match lost {
        Some(Lost { copy, .. }) if copy.state == SnapshotState::Error => {
            format!("its copy failed, too late for another try: {}", words::failed_snapshot(copy))
        }
        Some(Lost { copy, .. }) => {
            format!("its copy {} has been under way since {}", copy.id, written(copy.start_time))
        }
        None => "it was not copied in time, and the snapshot is gone".to_owned(),
    }
}

fn failure(action: &str, resource: String, code: &str, message: String) -> FailureReport {
    FailureReport {
        account: None,
        region: None,
        action: action.to_owned(),
        resource,
        schedule: None,
        code: code.to_owned(),
        message,
        attempts: 0,
    }
}

fn gave_up(why: GaveUp<'_>) -> (&'static str, String) {
    match why {
        GaveUp::Archived => (
            "SourceArchived",
            "the snapshot was archived before it was copied, and EC2 copies none from there".to_owned(),
        ),
        GaveUp::Doubted { copies } => (
            "CopiesInDoubt",
            format!("{copies} copies are there whose tags were edited: they stay and count for nothing"),
        ),
        GaveUp::Failed { last, tries } => {
            ("CopyFailed", format!("{tries} copies went to error; the last one: {}", words::failed_snapshot(last)))
        }
        GaveUp::RegionFails { last, in_a_row } => (
            "CopiesFail",
            format!(
                "the last {in_a_row} copies there under its key all went to error; the last one: {}",
                words::failed_snapshot(last)
            ),
        ),
        GaveUp::WindowOver { at } => ("CopyMissed", format!("it was not copied until {}", written(at))),
    }
}

/// What becomes of a snapshot's copies, a sentence each: `copied to eu-west-2 (snap-0ab, complete, expires at ...)`.
pub(super) fn of_source(plan: &Plan<'_>, snapshot: &SnapshotId) -> Vec<String> {
    let wanted = plan.regions.iter().flat_map(|region| region.wanted.iter().map(move |wanted| (region, wanted)));
    let of_it = wanted.filter(|(_, wanted)| wanted.source.id == *snapshot);
    of_it
        .map(|(region, wanted)| match wanted.verdict {
            CopyVerdict::Done(copy) => format!("copied to {} ({}, complete, {})", region.region, copy.id, goes(copy)),
            _ => of_wanted(region, wanted).reason,
        })
        .collect()
}

/// When a copy goes by its own tags.
pub(super) fn goes(copy: &Snapshot) -> String {
    copies::expires_at(copy).map_or_else(|| "stays for ever".to_owned(), |at| format!("expires at {}", written(at)))
}

/// The decisions about a Region in words: first the copies to be made, then those that are there.
pub(super) fn decisions<'a>(region: &'a RegionPlan<'_>) -> impl Iterator<Item = Line> + 'a {
    let wanted = region.wanted.iter().map(|wanted| of_wanted(region, wanted));
    let there = region.copies.iter().map(|decision| {
        let line = words::of_snapshot(decision);
        Line { reason: format!("copy in {}: {}", region.region, line.reason), ..line }
    });
    wanted.chain(there)
}

fn of_wanted(region: &RegionPlan<'_>, wanted: &Wanted<'_>) -> Line {
    let to = &region.region;
    let (decision, kind, reason) = match &wanted.verdict {
        CopyVerdict::Begin { last_failed: None } => ("copy", "Promised", format!("to be copied to {to}")),
        CopyVerdict::Begin { last_failed: Some(failed) } => {
            ("copy", "TriedAgain", format!("to be copied to {to} again; {}", words::failed_snapshot(failed)))
        }
        CopyVerdict::Done(copy) => ("copied", "Copied", format!("copied to {to} as {}", copy.id)),
        CopyVerdict::GivenUp { why, .. } => {
            let (kind, words) = gave_up(*why);
            ("no copy", kind, format!("no copy in {to}: {words}"))
        }
        CopyVerdict::UnderWay { copy, .. } => (
            "copying",
            "CopyUnderWay",
            format!("its copy in {to}, {}, is under way since {}", copy.id, written(copy.start_time)),
        ),
        CopyVerdict::Wait(wait) => {
            let (kind, words) = waits(wait);
            ("copy later", kind, format!("not copied to {to} yet: {words}"))
        }
    };
    let marks = &wanted.source.marks;
    Line {
        decision,
        schedule: marks.schedule_name.value().map(ToString::to_string),
        volume: Some(wanted.source.volume_id.to_string()),
        instance: marks.instance_id.value().map(ToString::to_string),
        snapshot: Some(wanted.source.id.to_string()),
        scheduled_time: marks.scheduled_time.value().map(|&time| written(time)),
        kind,
        reason,
    }
}

fn waits(wait: &CopyWait) -> (&'static str, String) {
    match wait {
        CopyWait::AfterFailure { until } => {
            ("AfterFailure", format!("the last try failed, the next one is at {}", written(*until)))
        }
        CopyWait::LeftTo(LeftTo::LaterRun { scheduled_time }) => {
            ("LeftToLaterRun", format!("the run of {} does it", written(*scheduled_time)))
        }
        CopyWait::LeftTo(LeftTo::Others) => {
            ("LeftToOthers", "the run that made the snapshot does it, or the next one that makes any".to_owned())
        }
        CopyWait::SourceNotComplete { .. } => {
            ("SourceNotComplete", "the snapshot, or its set, is not complete".to_owned())
        }
        CopyWait::TakenOver { at } => {
            ("TakenOver", format!("it is another run's; this one takes it over at {}", written(*at)))
        }
        CopyWait::Unseen => ("RegionUnseen", "the Region cannot be looked at".to_owned()),
    }
}
