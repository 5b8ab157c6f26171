//! R6: a lowered Count asks.

use super::*;
use crate::options::MaximumDeletions;

#[test]
fn r6_a_lowered_count_waits_for_consent_and_says_how_to_give_it() {
    let there = || of_days(100, 100);
    check_gone(&keeping(3), &Options::default(), there(), []);
    check_gone(&keeping(3), &accepting("Default Schedule", 4), there(), []);
    check_gone(&keeping(3), &accepting("Default Schedule", 3), there(), oldest_of(100, 3));
    let reasons = kept(&keeping(3), &Options::default(), &start(OWN), &world([volume(1)], there()));
    assert!(reasons.contains("AwaitsConsent"), "{reasons:?}");
}

#[test]
fn r6_the_surplus_of_an_outage_goes_in_one_run_however_much_it_is() {
    // The right to delete was missing for ten days: 200 volumes, each with ten too many.
    let mut snapshots = Vec::new();
    for of in 1..=200 {
        let of_volume = of_days(13, 3).into_iter().zip(1..);
        snapshots.extend(of_volume.map(|(day, number)| Snapshot {
            id: snapshot(of * 100 + number, of, OWN).id,
            volume_id: volume_id(of),
            ..day
        }));
    }
    let there = world((1..=200).map(volume), snapshots);
    assert_eq!(gone(&keeping(3), &Options::default(), &start(OWN), &there).len(), 200 * 10);
    // A bound that somebody set holds all the same, the oldest first.
    let bounded = Options { maximum_deletions: MaximumDeletions::Number(50), ..Options::default() };
    let some = gone(&keeping(3), &bounded, &start(OWN), &there);
    assert_eq!((some.len(), some.iter().all(|number| number % 100 == 1)), (50, true));
}

#[test]
fn r6_orphans_of_250_gone_volumes_add_nothing_to_what_a_living_one_may_lose() {
    let orphan = |of: u32| snapshot(10_000 + of, of, OWN).stamped(&[400]);
    let snapshots: Vec<Snapshot> = of_days(401, 400).into_iter().chain((2..=251).map(orphan)).collect();
    check_gone(&keeping(4), &Options::default(), snapshots.clone(), [1]);
    let unstamped = snapshots.into_iter().map(|mut snapshot| {
        snapshot.marks.stamp = Mark::Absent;
        snapshot
    });
    check_gone(&keeping(4), &Options::default(), unstamped.collect(), []);
}

#[test]
fn r6_snapshots_of_version_0_1_rotate_as_they_did() {
    let of_0_1 = of_days(5, 3).into_iter().map(|mut snapshot| {
        snapshot.marks.stamp = Mark::Absent;
        snapshot
    });
    check_gone(&keeping(3), &Options::default(), of_0_1.collect(), [1, 2]);
}
