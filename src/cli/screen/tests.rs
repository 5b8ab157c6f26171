//! The rows of a plan, line by line.

use super::*;

fn line(decision: &'static str, kind: &'static str, snapshot: Option<u32>, time: &str) -> Line {
    Line {
        decision,
        schedule: Some("Default Schedule".to_owned()),
        volume: Some("vol-00000000000000001".to_owned()),
        instance: None,
        snapshot: snapshot.map(|number| format!("snap-{number:017}")),
        scheduled_time: Some(time.to_owned()),
        kind,
        reason: "number 4 from the newest, and the schedule keeps 3 of each volume in all".to_owned(),
    }
}

fn decisions() -> Vec<Line> {
    vec![
        line("create", "Due", None, "2026-11-22T17:00:00Z"),
        line("delete later", "ExceedsCount", Some(19), "2026-11-19T17:00:00Z"),
        line("keep", "NewestOf", Some(20), "2026-11-20T17:00:00Z"),
        line("keep", "NewestOf", Some(21), "2026-11-21T17:00:00Z"),
        line("keep", "Held", Some(1), "2026-11-01T17:00:00Z"),
    ]
}

fn labels() -> Labels {
    let label = Label {
        name: Some("data 1".to_owned()),
        size_gib: Some(100),
        instance: Some("i-00000000000000001".to_owned()),
        ..Label::default()
    };
    [(VolumeId::parse("vol-00000000000000001").unwrap(), label)].into()
}

#[test]
fn what_stays_is_one_line_a_volume() {
    insta::assert_snapshot!(lines(&decisions(), &labels(), false, 80).join("\n").trim_start(), @r"
    vol-00000000000000001  data 1, 100 GiB, of i-00000000000000001
      create        -                       2026-11-22T17:00:00Z
                    number 4 from the newest, and the schedule keeps 3 of each
                    volume in all
      delete later  snap-00000000000000019  2026-11-19T17:00:00Z
                    number 4 from the newest, and the schedule keeps 3 of each
                    volume in all
      keep          3 snapshots, the newest of 2026-11-21T17:00:00Z; 1 Held
    ");
}

#[test]
fn all_of_it_is_shown_newest_first_where_somebody_asks() {
    let told = lines(&decisions(), &Labels::default(), true, 140);
    insta::assert_snapshot!(told.join("\n").trim_start(), @r"
    vol-00000000000000001
      create        -                       2026-11-22T17:00:00Z  number 4 from the newest, and the schedule keeps 3 of each volume in all
      keep          snap-00000000000000021  2026-11-21T17:00:00Z  number 4 from the newest, and the schedule keeps 3 of each volume in all
      keep          snap-00000000000000020  2026-11-20T17:00:00Z  number 4 from the newest, and the schedule keeps 3 of each volume in all
      delete later  snap-00000000000000019  2026-11-19T17:00:00Z  number 4 from the newest, and the schedule keeps 3 of each volume in all
      keep          snap-00000000000000001  2026-11-01T17:00:00Z  number 4 from the newest, and the schedule keeps 3 of each volume in all
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 80, 100, 119, 120, 200] {
        for line in lines(&decisions(), &labels(), true, width).iter().flat_map(|line| line.lines()) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn an_instance_stands_before_its_volumes_and_several_schedules_are_named() {
    let instance = Some("i-00000000000000002".to_owned());
    let target =
        Line { instance: instance.clone(), volume: None, ..line("create", "Due", None, "2026-11-22T17:00:00Z") };
    let member = Line { instance, ..line("keep", "NewestOf", Some(20), "2026-11-20T17:00:00Z") };
    let other = Line { schedule: Some("Weekly".to_owned()), reason: "because".to_owned(), ..target.clone() };
    insta::assert_snapshot!(lines(&[member, target, other], &labels(), false, 80).join("\n").trim_start(), @r"
    i-00000000000000002
      create        -                       2026-11-22T17:00:00Z
                    Default Schedule: number 4 from the newest, and the schedule
                    keeps 3 of each volume in all
      create        -                       2026-11-22T17:00:00Z
                    Weekly: because

    vol-00000000000000001  data 1, 100 GiB, of i-00000000000000002
      keep          1 snapshot, of 2026-11-20T17:00:00Z
    ");
}

#[test]
fn a_snapshot_under_way_is_one_row() {
    let of_volume = line("wait", "Pending", Some(22), "2026-11-22T17:00:00Z");
    let of_snapshot = Line { reason: "pending since then".to_owned(), ..of_volume.clone() };
    let told = lines(&[of_volume, of_snapshot], &labels(), false, 120);
    assert_eq!(told.iter().filter(|line| line.contains("wait")).count(), 1, "{told:?}");
}

#[test]
fn what_is_copied_is_told_in_a_line_and_what_is_not_in_a_row_for_each_region() {
    let copied = |snapshot| line("copied", "Copied", Some(snapshot), "2026-11-21T17:00:00Z");
    let later = || line("copy later", "TakenOver", Some(22), "2026-11-22T17:00:00Z");
    let lines = lines(&[copied(20), copied(20), copied(21), later(), later()], &labels(), false, 120);
    assert_eq!(lines.iter().filter(|line| line.contains("copy later")).count(), 2, "{lines:?}");
    assert_eq!(lines.last().unwrap(), "  copied        2 snapshots, the newest of 2026-11-21T17:00:00Z");
}
