//! R1 and R1b: copies that show a later run or a newer policy.

use super::*;

#[test]
fn r1_a_run_that_sees_a_later_one_deletes_nothing_in_any_region() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let scheduled_time = at("2026-11-22T17:20:00Z");
    let why = StandsBack::LaterRun { scheduled_time };
    let keeps = KeepReason::RunStandsBack { why, otherwise: expired() };
    let at_home = |world: &mut World| {
        world.snapshots.push(snapshot(30, 1, "2026-11-22T17:20:00Z").stamped(&[3]));
    };
    check_fate(&policy, &options, at_home, Err(&keeps));
    // Also where only its copies show it.
    let abroad = |world: &mut World| {
        let later = source(30, 2, "2026-11-22T17:20:00Z", &[RULE]);
        london_of(world).snapshots.push(copy_of(&later, 30, "2026-11-22T17:25:00Z", &london()));
    };
    check_fate(&policy, &options, abroad, Err(&keeps));
}

#[test]
fn copies_of_a_version_that_home_has_accepted_the_end_of_stop_no_deletions() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let revised = |source: Snapshot, day: u32| {
        source.with_stamp(|stamp| stamp.revision = (day <= 8).then(|| at("2026-11-01T00:00:00Z")))
    };
    let days: Vec<(u32, String)> = (5..=22).map(|day| (day, format!("2026-11-{day:02}T17:00:00Z"))).collect();
    let sources: Vec<Snapshot> = days.iter().map(|(day, time)| revised(source(*day, 1, time, &[RULE]), *day)).collect();
    let copied = |source: &Snapshot, day: u32| {
        let began = (source.start_time + SignedDuration::from_mins(10)).to_string();
        revised(copy_of(source, day, &began, &london()), day)
    };
    let copies = |last: u32| {
        let of_days = sources.iter().zip(&days).filter(|(_, (day, _))| *day <= last);
        of_days.map(|(source, (day, _))| copied(source, *day)).collect::<Vec<_>>()
    };
    let gone = |copies: Vec<Snapshot>| {
        let world = world_with(sources.clone(), copies);
        let plan = planned(&policy, &options, TODAY, "2026-11-22T17:30:00Z", &world);
        assert_eq!(plan.stands_back, None);
        of(&plan, &london()).copies.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).count()
    };
    assert_eq!(gone(copies(22)), 13);
    // Where the newest copy is one of that version nothing goes.
    assert_eq!(gone(copies(8)), 0);
}
