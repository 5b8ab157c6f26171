//! What an edit does to the account.

use super::*;
use crate::fixtures::{self, count};
use crate::live::effect::{Outlook, age, counted, size, told};
use crate::options::{Options, Start, StartOrigin};
use crate::plan::plan;
use crate::policy::Policy;
use crate::world::{Snapshot, World};
use std::collections::BTreeMap;

const START: &str = "2026-11-22T17:00:00Z";

/// What a start at [`START`] does with five daily snapshots of each of two volumes, the newest of yesterday.
fn outlook(policy: &Policy, options: &Options) -> Outlook {
    let snapshots: Vec<Snapshot> = (1..=2)
        .flat_map(|volume| {
            (1..=5).map(move |days| {
                let time = at(START) - SignedDuration::from_hours(24 * days);
                let number = u32::try_from(10 * i64::from(volume) + days).unwrap();
                fixtures::snapshot(number, volume, &time.to_string())
            })
        })
        .collect();
    let world = World { volumes: vec![fixtures::volume(1), fixtures::volume(2)], snapshots, ..World::default() };
    let start = Start { at: at(START), origin: StartOrigin::Event, begun: at(START), came_back: false };
    Outlook::of(&plan(policy, options, &start, at(START), &world), at(START))
}

fn keeping(number: u32) -> Policy {
    fixtures::policy(vec![fixtures::daily("Default Schedule", count(number))])
}

#[test]
fn what_goes_by_the_new_policy_and_not_by_the_old_one_is_told_with_its_size() {
    let accepting = Options { accept_count: accepted(3), ..Options::default() };
    let (old, new) = (outlook(&keeping(5), &Options::default()), outlook(&keeping(3), &accepting));
    assert_eq!((old.goes.len(), new.goes.len(), new.backups, new.newest), (2, 6, 10, Some(at("2026-11-21T17:00:00Z"))));
    assert_eq!(
        told(Some(&old), &new),
        ["targets: 2", "4 snapshots of 2 volumes go at the next run, 2026-11-22T17:00:00Z: at most 4 GiB"]
    );
    assert_eq!(told(Some(&new), &old), ["targets: 2", "4 snapshots stay that would have gone at the next run"]);
}

fn accepted(number: u32) -> BTreeMap<crate::policy::ScheduleName, std::num::NonZeroU32> {
    BTreeMap::from([(fixtures::name("Default Schedule"), std::num::NonZeroU32::new(number).unwrap())])
}

#[test]
fn an_edit_that_loses_the_targets_or_the_schedule_says_so() {
    let old = outlook(&keeping(5), &Options::default());
    let nothing = Outlook { targets: 0, goes: BTreeMap::new(), ..old.clone() };
    let lines = told(Some(&old), &nothing);
    assert_eq!(lines[..2], ["targets: 2 -> 0", "nothing carries a target tag: the next run makes no snapshot"]);

    let renamed = fixtures::policy(vec![fixtures::daily("Nightly", count(5))]);
    let lines = told(Some(&old), &outlook(&renamed, &Options::default()));
    assert!(lines.contains(&"10 snapshots are managed by nothing any more (Options.Orphans)".to_owned()), "{lines:?}");
}

#[test]
fn a_disabled_policy_does_nothing() {
    let old = outlook(&keeping(5), &Options::default());
    assert_eq!(
        told(Some(&old), &Outlook::default()),
        ["nothing is made or deleted: the policy is disabled, or its times are over"]
    );
}

#[test]
fn numbers_are_told_as_people_say_them() {
    let sizes = [0, 1023, 1024, 1536, 1 << 30, 48 << 30, 1_209_462_790_554];
    assert_eq!(sizes.map(size), ["0 bytes", "1023 bytes", "1 KiB", "1.5 KiB", "1 GiB", "48 GiB", "1.1 TiB"]);
    let ages = [
        "2026-11-26T09:59:01Z",
        "2026-11-26T08:01:00Z",
        "2026-11-24T10:00:01Z",
        "2026-11-24T10:00:00Z",
        "2026-11-26T11:00:00Z",
    ];
    assert_eq!(ages.map(|then| age(at(then), at(NOW))), ["0 min", "119 min", "47 h", "2 d", "0 min"]);
    assert_eq!((counted(1, "volume"), counted(12, "volume")), ("1 volume".to_owned(), "12 volumes".to_owned()));
}
