//! `opendlm backups VOLUME|INSTANCE`: what can be restored, and the command that makes a volume of it.

use super::document::{connect, fail, print_json};
use super::output::{say, say_wrapped};
use super::screen::{Labels, heading};
use crate::aws::{Account, Label, MadeOf, clock};
use crate::backups::{self, Backup, Unfit, Until};
use crate::place::Region;
use crate::report;
use crate::report::told::{counted, size};
use crate::tags::{Hold, written};
use crate::world::{InstanceId, Snapshot, SnapshotId, SourceId, Tier, VolumeId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

/// Prints the backups; exit 1 where there are none.
pub(super) fn backups(source: &str, snapshot: Option<&str>, is_json: bool) -> ExitCode {
    let Some(source) = parsed(source) else {
        return fail(&format!(
            "{source:?} is not an id of a volume or an instance, expected one such as vol-0123456789abcdef0"
        ));
    };
    let chosen = match snapshot.map(|text| SnapshotId::parse(text).ok_or(text)) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(text)) => {
            return fail(&format!("{text:?} is not a snapshot id, expected one such as snap-0123456789abcdef0"));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let seen = match runtime.block_on(look(source)) {
        Ok(seen) => seen,
        Err(error) => return fail(&error),
    };
    let (snapshots, region) = (&seen.made.snapshots, Region::parse(&seen.region));
    let is_of_it = |snapshot: &Snapshot| seen.made.is_of_it(snapshot);
    let (backups, unfit) = backups::restorable(snapshots, region.as_ref(), is_of_it, clock::now());
    let shown = Shown { seen: &seen, source, backups, unfit };
    if let Some(id) = chosen.filter(|id| !shown.backups.iter().any(|backup| backup.snapshot.id == *id)) {
        return fail(&format!("{id} is not a backup of {source} that can be restored"));
    }
    if is_json {
        print_json(&shown.as_json(chosen));
    } else {
        shown.print(chosen);
    }
    if shown.backups.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn parsed(text: &str) -> Option<SourceId> {
    let volume = VolumeId::parse(text).map(SourceId::Volume);
    volume.or_else(|| InstanceId::parse(text).map(SourceId::Instance))
}

/// What EC2 shows.
struct Seen {
    made: MadeOf,
    labels: Labels,
    region: String,
}

async fn look(source: SourceId) -> Result<Seen, String> {
    let accounts = connect().await?;
    let account: &Account = accounts.own();
    let made = account.made_of(source).await.map_err(|error| report::chain(&error))?;
    let mut ids: Vec<VolumeId> = made.snapshots.iter().map(backups::volume_of).collect();
    ids.extend(&made.volumes);
    ids.sort_unstable();
    ids.dedup();
    let labels = account.labels(&ids).await.map_err(|error| report::chain(&error))?;
    Ok(Seen { made, labels, region: account.region().to_owned() })
}

struct Shown<'a> {
    seen: &'a Seen,
    source: SourceId,
    backups: Vec<Backup<'a>>,
    unfit: Unfit,
}

impl Shown<'_> {
    fn by_volume(&self) -> BTreeMap<VolumeId, Vec<&Backup<'_>>> {
        let mut by_volume: BTreeMap<VolumeId, Vec<&Backup<'_>>> = BTreeMap::new();
        for backup in &self.backups {
            by_volume.entry(backup.volume).or_default().push(backup);
        }
        by_volume
    }

    fn print(&self, chosen: Option<SnapshotId>) {
        let by_volume = self.by_volume();
        for (volume, backups) in &by_volume {
            say(&heading(None, Some(&volume.to_string()), &self.seen.labels));
            say(&format!("  {:22}{:24}{:9}{:10}{}", "MADE", "SNAPSHOT", "SIZE", "TIER", "STAYS"));
            for Backup { snapshot, until, made, .. } in backups {
                say(&format!(
                    "  {:22}{:24}{:9}{:10}{}",
                    written(*made),
                    snapshot.id.to_string(),
                    size(snapshot.full_size_bytes),
                    tier(snapshot.tier),
                    stays(*until)
                ));
            }
            say("");
        }
        let count = counted(self.backups.len(), "backup");
        let copied = self.copied_from().map(|region| format!(", copied from {region}")).collect::<String>();
        say_wrapped(&format!("{count} of {} in {}{copied}{}", self.source, self.seen.region, self.left_out()), 2);
        if !self.seen.made.is_all {
            say_wrapped("there are more snapshots than EC2 showed or opendlm reads; what is listed is there", 2);
        }
        for region in self.copied_to() {
            say_wrapped(&format!("for copies in {region}: AWS_REGION={region} opendlm backups {}", self.source), 2);
        }
        for backups in by_volume.values() {
            let is_chosen = |backup: &&&Backup<'_>| chosen.is_none_or(|id| backup.snapshot.id == id);
            if let Some(backup) = backups.iter().find(is_chosen) {
                self.print_command(backup);
            }
        }
    }

    /// The Regions that the backups are copies from.
    fn copied_from(&self) -> impl Iterator<Item = &Region> {
        let regions: BTreeSet<&Region> = self.backups.iter().filter_map(|b| Some(&b.copied_from?.region)).collect();
        regions.into_iter()
    }

    /// The Regions in which the backups are promised copies.
    fn copied_to(&self) -> impl Iterator<Item = &Region> {
        let promised = self.backups.iter().filter_map(|backup| backup.snapshot.marks.copies.value()).flatten();
        let regions: BTreeSet<&Region> = promised.map(|rule| &rule.region).collect();
        regions.into_iter()
    }

    fn left_out(&self) -> String {
        let Unfit { doubted, failed, of_broken_sets, under_way } = self.unfit;
        let parts: Vec<String> = [
            (under_way, "not complete yet"),
            (failed, "failed"),
            (of_broken_sets, "in a set that is not whole"),
            (doubted, "with tags that somebody changed"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        if parts.is_empty() { String::new() } else { format!("; not counted: {}", parts.join(", ")) }
    }

    fn print_command(&self, backup: &Backup<'_>) {
        let id = backup.snapshot.id;
        say("");
        if backups::is_archived(backup.snapshot) {
            say_wrapped(&format!("{id} is archived. Take it out first, which takes up to 72 hours:"), 2);
            say(&format!("  aws ec2 restore-snapshot-tier --region {} \\", self.seen.region));
            say(&format!("    --snapshot-id {id} --temporary-restore-days 7"));
        }
        say(&format!("To make a volume of {id}:"));
        for line in self.command(backup) {
            say(&line);
        }
    }

    /// The AWS CLI line, broken as a shell takes it.
    fn command(&self, backup: &Backup<'_>) -> [String; 2] {
        let label = self.seen.labels.get(&backup.volume).cloned().unwrap_or_default();
        let Label { zone, volume_type, .. } = label;
        let zone = zone.unwrap_or_else(|| format!("{}a", self.seen.region));
        let kind = volume_type.map_or_else(String::new, |kind| format!(" --volume-type {kind}"));
        [
            format!("  aws ec2 create-volume --region {} --availability-zone {zone} \\", self.seen.region),
            format!("    --snapshot-id {}{kind}", backup.snapshot.id),
        ]
    }

    fn as_json(&self, chosen: Option<SnapshotId>) -> Value {
        let is_chosen = |backup: &&Backup<'_>| chosen.is_none_or(|id| backup.snapshot.id == id);
        let backups = self.backups.iter().filter(is_chosen).map(|backup| {
            let Backup { snapshot, until, volume, made, copied_from } = backup;
            let [first, second] = self.command(backup);
            json!({
                "Snapshot": snapshot.id.to_string(),
                "Volume": volume.to_string(),
                "CopiedFrom": copied_from.map(ToString::to_string),
                "Made": written(*made),
                "FullSizeBytes": snapshot.full_size_bytes,
                "Tier": tier(snapshot.tier),
                "Stays": stays(*until),
                "Command": format!("{} {}", first.trim().trim_end_matches(" \\"), second.trim()),
            })
        });
        let Unfit { doubted, failed, of_broken_sets, under_way } = self.unfit;
        json!({
            "Source": self.source.to_string(),
            "Region": self.seen.region,
            "CopiesIn": self.copied_to().map(ToString::to_string).collect::<Vec<_>>(),
            "Backups": backups.collect::<Vec<_>>(),
            "NotCounted": { "Doubted": doubted, "Failed": failed, "OfBrokenSets": of_broken_sets, "UnderWay": under_way },
            "IsAll": self.seen.made.is_all,
        })
    }
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Archive => "archive",
        Tier::Restored { .. } => "restored",
        Tier::Standard => "standard",
    }
}

fn stays(until: Until) -> String {
    let day = |time: jiff::Timestamp| written(time).chars().take("2026-11-22".len()).collect::<String>();
    match until {
        Until::Count(count) => format!("newest {count}"),
        Until::Expires(time) => day(time),
        Until::Held(Hold::Forever) => "held".to_owned(),
        Until::Held(Hold::Until(time)) => format!("{} held", day(time)),
        Until::Unsaid => "-".to_owned(),
    }
}
