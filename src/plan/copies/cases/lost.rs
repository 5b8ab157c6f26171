//! Copies of which no snapshot's plan tells.

use super::*;

/// Which copies are lost at a time, where these copies are in London and these snapshots at home.
#[track_caller]
fn check(now: &str, (sources, copies): (&[&Snapshot], Vec<Snapshot>), expected: &[SnapshotId]) {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let world = world_with(sources.iter().map(|&source| source.clone()).collect(), copies);
    let plan = planned(&policy, &options, now, now, &world);
    let lost: Vec<SnapshotId> = of(&plan, &london()).lost.iter().map(|lost| lost.copy.id).collect();
    assert_eq!(lost, expected);
}

fn made() -> Snapshot {
    source(1, 1, "2026-11-01T17:00:00Z", &[RULE])
}

fn copied(number: u32, began: &str) -> Snapshot {
    copy_of(&made(), number, began, &london())
}

#[test]
fn a_copy_that_has_been_under_way_for_a_week_is_told_for_three_days() {
    let pending = || copied(1, "2026-11-01T17:10:00Z").pending();
    let id = pending().id;
    for sources in [&[][..], &[&made()][..]] {
        check("2026-11-08T17:09:59Z", (sources, vec![pending()]), &[]);
        check("2026-11-08T17:10:00Z", (sources, vec![pending()]), &[id]);
        check("2026-11-11T17:09:59Z", (sources, vec![pending()]), &[id]);
        check("2026-11-11T17:10:00Z", (sources, vec![pending()]), &[]);
    }
    let another = copied(2, "2026-11-01T18:00:00Z");
    check("2026-11-08T17:10:00Z", (&[], vec![pending(), another]), &[]);
}

#[test]
fn a_copy_that_failed_is_told_where_its_snapshot_is_gone() {
    let failed = || copied(1, "2026-11-01T17:10:00Z").in_state(SnapshotState::Error);
    let id = failed().id;
    let now = "2026-11-02T17:00:00Z";
    check(now, (&[], vec![failed()]), &[id]);
    // Where it is there its own plan says what comes next, and one copy is enough.
    check(now, (&[&made()], vec![failed()]), &[]);
    check(now, (&[], vec![failed(), copied(2, "2026-11-01T18:00:00Z")]), &[]);
    // Once its time is over and a newer one is there, it may have been made and have gone.
    let newer = copy_of(&source(2, 1, "2026-11-02T17:00:00Z", &[RULE]), 3, "2026-11-02T17:10:00Z", &london());
    check("2026-11-06T17:09:00Z", (&[], vec![failed(), newer.clone()]), &[id]);
    check("2026-11-06T17:10:00Z", (&[], vec![failed(), newer]), &[]);
    // Another try is under way, and no run is there that waits for it.
    let again = copied(4, "2026-11-01T17:40:00Z").pending();
    check("2026-11-02T09:00:00Z", (&[&made()], vec![failed(), again]), &[]);
    // Nobody knows what one with edited tags is of.
    let edited = failed().with_stamp(|stamp| stamp.is_intact = false);
    check(now, (&[], vec![edited]), &[]);
}
