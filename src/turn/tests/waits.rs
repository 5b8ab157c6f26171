//! How long a run waits between two looks.

use super::*;

#[test]
fn between_deletions_a_run_waits_for_a_quarter_of_a_minute_only() {
    let (policy, options) = (policy(vec![daily("Default Schedule", count(1))]), Options::default());
    let volumes = |newest: [Snapshot; 2]| {
        let old = (1..=2).map(|number| snapshot(10 + number, number, "2026-11-21T17:00:00Z"));
        world([volume(1), volume(2)], old.chain(newest))
    };
    let waits = |world: &World| {
        let progress = Progress { waits: 3, ..Progress::new(&start(NOW)) };
        let plan = plan::plan(&policy, &options, &progress.start(), at(SETTLED), world);
        let selection = select(&policy, &options, &plan, &progress, at(SETTLED), Budget::UNBOUNDED);
        let outcomes = selection.actions.iter().map(|_| Outcome::Deleted).collect();
        conclude(&options, &plan, progress, selection, outcomes, at(SETTLED)).status
    };
    let (first, second) = (snapshot(1, 1, NOW), snapshot(2, 2, NOW));
    assert_eq!(waits(&volumes([first.clone(), second.clone().pending()])), Status::Waiting { seconds: 15 });
    assert_eq!(waits(&volumes([first.clone().pending(), second.clone().pending()])), Status::Waiting { seconds: 60 });
    assert_eq!(waits(&volumes([first, second])), Status::Done(RunOutcome::Succeeded));
}

#[test]
fn after_a_failed_member_went_nothing_complete_goes_until_the_lists_must_show_its_companions() {
    let policy = instance_policy(count(1));
    let of = |number, day: u32| snapshot(number, 1, &format!("2026-11-{day}T17:00:00Z")).of_instance(1);
    let bad = of(1, 10).in_state(crate::world::SnapshotState::Error);
    let world = World { instances: vec![instance(1, 1, [])], ..world([], [bad, of(2, 19), of(3, 20), of(4, 21)]) };
    let noon = at("2026-11-22T12:00:00Z");
    let options = Options::default();
    let turn = |progress: Progress, now, outcome: Outcome| {
        let plan = plan::plan(&policy, &options, &progress.start(), now, &world);
        let selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
        let outcomes = selection.actions.iter().map(|_| outcome.clone()).collect();
        let left_over = selection.left_over;
        (left_over, conclude(&options, &plan, progress, selection, outcomes, now))
    };
    let deleted = |progress, now| turn(progress, now, Outcome::Deleted);
    let lost = turn(Progress::new(&start("2026-11-22T12:00:00Z")), noon, failed(FailedKind::Unclear)).1;
    let refused = turn(Progress::new(&start("2026-11-22T12:00:00Z")), noon, failed(FailedKind::Refused)).1;
    let noted = (lost.progress.failed_member_deleted, refused.progress.failed_member_deleted);
    assert_eq!(noted, (Some(noon), None), "a lost answer may have been a deletion");
    let (left_over, first) = deleted(Progress::new(&start("2026-11-22T12:00:00Z")), noon);
    assert_eq!((left_over, first.done.len(), first.progress.failed_member_deleted), (0, 3, Some(noon)));
    let (left_over, second) = deleted(first.progress.clone(), noon + SignedDuration::from_secs(119));
    assert_eq!((left_over, second.done.len()), (2, 1), "the failed one alone");
    assert!(matches!(second.status, Status::Waiting { .. }), "the run goes on for the others");
    let (left_over, third) = deleted(first.progress.clone(), noon + SignedDuration::from_secs(120));
    assert_eq!((left_over, third.done.len()), (0, 3));
    let nonsense = Progress { failed_member_deleted: Some(Timestamp::MAX), ..first.progress };
    assert_eq!(deleted(nonsense, noon).0, 0, "a time that cannot be postpones nothing");
}

#[test]
fn a_run_looks_once_more_after_a_deletion_that_got_no_answer_for_the_last_time() {
    let new = snapshot(1, 1, NOW);
    let old = (2..=4).map(|number| snapshot(number, 1, &format!("2026-11-{}T17:00:00Z", 17 + number)));
    let (there, gone) =
        (world([volume(1)], old.clone().chain([new.clone()])), world([volume(1)], old.skip(1).chain([new])));
    // Throttled in the end, the call may have been carried out before without an answer.
    for kind in [FailedKind::Unclear, FailedKind::Throttled] {
        let mut progress = Progress::new(&start(NOW));
        for _ in 0..3 {
            let tried = turn_at(at(SETTLED), &there, progress, Budget::UNBOUNDED, &failed(kind));
            assert!(matches!(tried.status, Status::Waiting { .. }), "{:?}", tried.status);
            assert_eq!(tried.done.len(), 1);
            progress = tried.progress;
        }
        let last = |world: &World| {
            let last = turn_at(at(SETTLED), world, progress.clone(), Budget::UNBOUNDED, &failed(kind));
            (last.done.len(), last.progress.failures.len(), last.status)
        };
        assert_eq!(last(&there), (0, 1, Status::Done(RunOutcome::Partial)));
        assert_eq!(last(&gone), (0, 0, Status::Done(RunOutcome::Succeeded)));
    }
}

#[test]
fn a_run_that_made_a_snapshot_does_not_end_on_lists_that_show_none_of_its_own() {
    let (policy, options) = (default_policy(1, 3), Options::default());
    let ends_at = |began: &str, creations, looks_without_own, snapshots: Vec<Snapshot>| {
        let recent = |number| Volume { last_snapshot: Some(at(began)), ..volume(number) };
        let world = world([recent(1), recent(2)], snapshots);
        let progress = Progress { creations, looks_without_own, turns: 3, ..Progress::new(&start(NOW)) };
        let now = at("2026-11-22T17:05:00Z");
        let plan = plan::plan(&policy, &options, &progress.start(), now, &world);
        let selection = select(&policy, &options, &plan, &progress, now, Budget::UNBOUNDED);
        assert_eq!(selection.actions, []);
        matches!(conclude(&options, &plan, progress, selection, vec![], now).status, Status::Done(_))
    };
    let ends = |creations, looks, snapshots| ends_at(NOW, creations, looks, snapshots);
    let of = |volume| snapshot(volume, volume, NOW).of_schedule("Default policy").expiring("2026-11-25T17:00:00Z");
    assert!(ends(0, 0, vec![]), "somebody else's is recent");
    assert!(!ends(1, 0, vec![]) && !ends(1, 1, vec![]), "it may be its own, and not complete");
    assert!(ends(1, 2, vec![]), "somebody has deleted it");
    assert!(ends(1, 0, vec![of(1), of(2)]));
    assert!(!ends(1, 0, vec![of(2)]), "another run has made this one for the same start");
    assert!(ends_at("2026-11-22T05:00:00Z", 1, 0, vec![]), "it was there before the run");
}
