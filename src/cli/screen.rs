//! The rows of a plan: under each volume what happens to it and to its snapshots, the newest first.

use super::output::wrapped;
use crate::aws::Label;
use crate::report::told::counted;
use crate::report::words::Line;
use crate::world::VolumeId;
use std::collections::{BTreeMap, BTreeSet};

/// What a person knows the volumes by.
pub(super) type Labels = BTreeMap<VolumeId, Label>;

/// The reasons that keep a snapshot because the policy says so; any other one is named.
const BY_POLICY: [&str; 3] = ["NewestCompleted", "NewestOf", "NotExpired"];

/// What is as it should be, told in a line each.
const FOLDED: [&str; 2] = ["keep", "copied"];

/// Where the columns begin: the decision, the snapshot (22 characters) and the scheduled time (20).
const INDENT: usize = 2;
const DECISION: usize = 14;
const SNAPSHOT: usize = 24;
const TIME: usize = 22;
/// From this width on there is room for the reason beside the rest.
const WIDTH_WITH_REASON: usize = 120;

/// The decisions in lines of at most `width` columns. What stays by the policy is one line a volume unless `is_all`.
pub(super) fn lines(decisions: &[Line], labels: &Labels, is_all: bool, width: usize) -> Vec<String> {
    let names: BTreeSet<&str> = decisions.iter().filter_map(|line| line.schedule.as_deref()).collect();
    let layout = Layout { width, names_schedules: names.len() > 1 };
    let mut by_place: BTreeMap<(Option<&str>, Option<&str>), Vec<&Line>> = BTreeMap::new();
    for line in decisions {
        by_place.entry((line.instance.as_deref(), line.volume.as_deref())).or_default().push(line);
    }
    let mut lines = Vec::new();
    for ((instance, volume), mut rows) in by_place {
        lines.push(String::new());
        lines.push(wrapped(&heading(instance, volume, labels), width, INDENT));
        // Stable: what is to be done to the volume stands before its snapshot of the same time.
        rows.sort_by(|one, other| other.scheduled_time.cmp(&one.scheduled_time));
        // Of a snapshot under way there is a decision about the volume and one about the snapshot: one of them is news.
        let mut awaited = BTreeSet::new();
        rows.retain(|line| line.decision != "wait" || awaited.insert(line.snapshot.as_deref()));
        let (quiet, shown): (Vec<&Line>, Vec<&Line>) =
            rows.into_iter().partition(|line| FOLDED.contains(&line.decision) && !is_all);
        lines.extend(shown.into_iter().map(|line| layout.row(line)));
        for decision in FOLDED {
            let of_it: Vec<&Line> = quiet.iter().copied().filter(|line| line.decision == decision).collect();
            lines.extend(folded(decision, &of_it).map(|text| wrapped(&text, width, INDENT + DECISION)));
        }
    }
    lines
}

/// `vol-0123456789abcdef0  data, 100 GiB, of i-0123456789abcdef0`.
pub(super) fn heading(instance: Option<&str>, volume: Option<&str>, labels: &Labels) -> String {
    let Some(volume) = volume else { return instance.unwrap_or("-").to_owned() };
    let label = VolumeId::parse(volume).and_then(|id| labels.get(&id)).cloned().unwrap_or_default();
    let instance = instance.map(str::to_owned).or(label.instance);
    let parts: Vec<String> = [
        label.name.map(|name| crate::policy::decode::shown(&name, NAME_LENGTH_MAX)),
        label.size_gib.map(|size| format!("{size} GiB")),
        instance.map(|instance| format!("of {instance}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{volume}  {}", parts.join(", ")).trim_end().to_owned()
}

/// How much of a name is shown: EC2 allows 256 characters.
const NAME_LENGTH_MAX: usize = 60;

/// What stays or is copied, in a line; `None` where nothing does.
fn folded(decision: &str, kept: &[&Line]) -> Option<String> {
    let newest = kept.iter().filter_map(|line| line.scheduled_time.as_deref()).max().unwrap_or("an unreadable time");
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for line in kept.iter().filter(|line| !BY_POLICY.contains(&line.kind) && line.kind != "Copied") {
        *others.entry(line.kind).or_default() += 1;
    }
    let others: Vec<String> = others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let others = if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) };
    let ids: BTreeSet<Option<&str>> = kept.iter().map(|line| line.snapshot.as_deref()).collect();
    let count = counted(ids.len(), "snapshot");
    let newest = if kept.len() == 1 { format!("of {newest}") } else { format!("the newest of {newest}") };
    (!kept.is_empty()).then(|| format!("{:INDENT$}{:DECISION$}{count}, {newest}{others}", "", decision))
}

/// How rows are laid out.
struct Layout {
    width: usize,
    names_schedules: bool,
}

impl Layout {
    fn row(&self, line: &Line) -> String {
        let snapshot = line.snapshot.as_deref().unwrap_or("-");
        let time = line.scheduled_time.as_deref().unwrap_or("-");
        let row = format!("{:INDENT$}{:DECISION$}{snapshot:SNAPSHOT$}{time:TIME$}", "", line.decision);
        let reason = match &line.schedule {
            Some(schedule) if self.names_schedules => format!("{schedule}: {}", line.reason),
            Some(_) | None => line.reason.clone(),
        };
        if self.width >= WIDTH_WITH_REASON {
            return wrapped(&format!("{row}{reason}"), self.width, INDENT + DECISION + SNAPSHOT + TIME);
        }
        let below = format!("{:indent$}{reason}", "", indent = INDENT + DECISION);
        format!("{}\n{}", row.trim_end(), wrapped(&below, self.width, INDENT + DECISION))
    }
}

#[cfg(test)]
mod tests;
