//! A policy's targets and snapshots.

use super::{Line, PolicySeen, ok, unseen, wrong};
use crate::report::Report;
use crate::report::copies::CopiesReport;

/// What a look at the account showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The report of a start now, before its first action.
    pub report: Report,
    /// How many volumes or instances carry a target tag.
    pub targeted: usize,
}

/// How its backups are.
pub(super) fn lines(seen: &PolicySeen) -> Vec<Line> {
    let cure = "mend what the words name: without it nothing else of the policy can be looked at";
    let how = format!("opendlm plan {}, with the right that the words name", seen.name);
    match unseen(&seen.looked, "look", cure, how) {
        Ok(looked) => of_looked(looked),
        Err(line) => vec![line],
    }
}

fn of_looked(looked: &Looked) -> Vec<Line> {
    let Looked { report, targeted } = looked;
    let missed = report.volumes.get("missed: StartWindowOver").copied().unwrap_or_default();
    let targets = match targeted {
        0 => wrong(
            "targets",
            "nothing carries a target tag",
            "compare TargetTags with the tags of the volumes or instances, and the Region",
        ),
        targeted => ok("targets", format!("volumes or instances with a target tag: {targeted}")),
    };
    let mut lines = vec![ok("look", "EC2 answers, and takes these credentials"), targets];
    lines.extend(report.schedules.iter().map(|schedule| match &schedule.next_scheduled_time {
        Some(next) => ok("schedule", format!("{}: the next time is {next}", schedule.name)),
        None => wrong("schedule", format!("{}: it has no further time", schedule.name), "look at its CreateRule"),
    }));
    lines.extend([
        none(
            report.stopped,
            ("backups", "each is as new as the policy asks for"),
            "volumes without a backup as new as the policy asks for",
            "run the policy now, and see what earlier runs said",
        ),
        none(
            missed,
            ("last time", "it was not missed"),
            "targets without a snapshot for the latest scheduled time, whose start window is over",
            "see why no run came then: executions, the dead-letter queue",
        ),
        none(
            report.orphans.doubted,
            ("tags", "nobody has edited them"),
            "snapshots whose tags somebody edited",
            "opendlm explain tells each; delete them by hand",
        ),
        none(
            report.orphans.snapshots,
            ("orphans", "there are none"),
            "snapshots that nothing manages any more and that cost money",
            "set Options.Orphans, or delete them by hand",
        ),
        none(
            report.foreign,
            ("look-alikes", "there are none"),
            "snapshots with opendlm's tag that are not opendlm's",
            "find out who copies tags",
        ),
    ]);
    lines.extend(report.copies.iter().map(of_copies));
    let failures = report.failures.iter().map(|failure| {
        let says = format!("{} {}: {}: {}", failure.action, failure.resource, failure.code, failure.message);
        wrong("a run now", says, "docs/operations.md tells what each code means")
    });
    lines.extend(failures);
    lines.push(ok("cost", report.cost.at_most.clone()));
    lines
}

/// How the copies in another Region are.
fn of_copies(copies: &CopiesReport) -> Line {
    let says = copies.sentence();
    if copies.unseen.is_some() {
        let cure =
            "name the Region in the stack's CopyRegions (and in target-role.yaml's), and enable it for the account";
        return wrong("copies", says, cure);
    }
    match (copies.lacking, copies.orphans) {
        (0, 0) => ok("copies", says),
        (0, _) => wrong(
            "copies",
            says,
            "nothing takes some of them away any more, and they may be the last backups of what is gone: opendlm explain tells \
             each; delete by hand only what nobody needs",
        ),
        _ => wrong(
            "copies",
            says,
            "opendlm runs tells why they were not made; a rule's key and the role's rights are the first to look at",
        ),
    }
}

/// That there are none of these; what is said then stands beside what was looked at.
fn none(count: usize, (about, good): (&'static str, &str), bad: &str, cure: &str) -> Line {
    if count == 0 { ok(about, good) } else { wrong(about, format!("{bad}: {count}"), cure) }
}
