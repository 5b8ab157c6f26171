//! What becomes of what failed: tried again, given up, mended.

use super::*;

#[test]
fn what_failed_is_given_up_after_the_window_and_what_was_never_tried_goes_on() {
    let world = world([volume(1), volume(2)], []);
    let budget = budget(1, 0);
    let first = turn_at(at(NOW), &world, Progress::new(&start(NOW)), budget, &failed(FailedKind::Refused));
    let after = at(NOW) + SignedDuration::from_mins(61);
    let second = turn_at(after, &world, first.progress, Budget::UNBOUNDED, &created());
    let tried: Vec<String> = second
        .done
        .iter()
        .map(|(action, _)| match action {
            Action::CreateSnapshot(create) => create.volume_id.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tried, [volume_id(2).to_string()]);
}

#[test]
fn a_late_failure_makes_the_run_partial_and_is_named() {
    let failing = world([volume(1)], []);
    let first = first_turn(&failing, &failed(FailedKind::Refused));
    let after = at(NOW) + SignedDuration::from_mins(61);
    let last = turn_at(after, &failing, first.progress, Budget::UNBOUNDED, &created());
    assert_eq!(last.status, Status::Done(RunOutcome::Partial));
    assert_eq!(last.progress.failures[0].subject.resource(), volume_id(1).to_string());
}

#[test]
fn a_failure_that_was_mended_is_forgotten() {
    let first = first_turn(&world([volume(1)], []), &failed(FailedKind::Refused));
    assert_eq!(first.progress.failures.len(), 1);
    let mended = world([volume(1)], [snapshot(1, 1, NOW)]);
    let second = turn_at(at(SETTLED), &mended, first.progress, Budget::UNBOUNDED, &created());
    assert_eq!(second.status, Status::Done(RunOutcome::Succeeded));
    assert_eq!(second.progress.failures, vec![]);
}

#[test]
fn an_unclear_deletion_is_tried_again_although_every_backup_is_there() {
    let old = (19..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    let first = first_turn(&world([volume(1)], old), &failed(FailedKind::Unclear));
    assert_eq!(first.status, Status::Waiting { seconds: 1 });
}

#[test]
fn a_refused_deletion_is_tried_once_and_named() {
    let old = (18..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    let world = world([volume(1)], old);
    let first = first_turn(&world, &failed(FailedKind::Refused));
    assert_eq!(first.done.len(), 2);
    assert_eq!(first.status, Status::Done(RunOutcome::Partial));
    assert_eq!(first.progress.failures.len(), 2);
}
