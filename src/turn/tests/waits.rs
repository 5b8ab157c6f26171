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
