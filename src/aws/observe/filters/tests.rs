use super::*;
use crate::aws::observe::tests::filters_of;
use crate::aws::tests::tags_of;

#[track_caller]
fn check_filters(any_of: &[(&str, &str)], expected: &[(&str, &[&str])]) {
    let filters = target_filters(&tags_of(any_of));
    let expected: Vec<_> = expected.iter().map(|&(name, values)| (name, values.to_vec())).collect();
    assert_eq!(filters_of(&filters), expected);
}

#[test]
fn target_tags_become_one_filter_a_key() {
    check_filters(&[("auto-backup", "dlm")], &[("tag:auto-backup", &["dlm"])]);
    check_filters(&[("a", "1"), ("b", "2"), ("a", "3")], &[("tag:a", &["1", "3"]), ("tag:b", &["2"])]);
    check_filters(&[("a", r"x*y?z\")], &[("tag:a", &[r"x\*y\?z\\"])]);
    check_filters(&[("a*b", "1")], &[("tag-key", &[r"a\*b"])]);
    check_filters(&[("a", "1"), ("a", "")], &[("tag-key", &["a"])]);
    let longest = "x".repeat(256);
    check_filters(&[("a", &longest)], &[("tag-key", &["a"])]);
    check_filters(&[("a", &longest[1..])], &[("tag:a", &[&longest[1..]])]);
}

#[test]
fn more_values_than_a_filter_holds_make_more_filters() {
    let values: Vec<String> = (0..450).map(|number| number.to_string()).collect();
    let pairs: Vec<(&str, &str)> = values.iter().map(|value| ("a", value.as_str())).collect();
    let lengths: Vec<usize> = target_filters(&tags_of(&pairs)).iter().map(|filter| filter.values().len()).collect();
    assert_eq!(lengths, [200, 200, 50]);
}

#[test]
fn ids_are_asked_for_200_at_a_time_and_only_as_many_as_the_bound_allows() {
    let id = "vol-0a";
    let check = |count: usize, filters: usize, last: usize| {
        let (made, cut_short) = id_filters("volume-id", &vec![id; count]);
        assert_eq!(made.len(), filters);
        assert!(made.iter().all(|filter| filter.name() == Some("volume-id")));
        assert_eq!(made.last().map_or(0, |filter| filter.values().len()), last);
        cut_short
    };
    assert_eq!(check(0, 0, 0), None);
    assert_eq!(check(1, 1, 1), None);
    assert_eq!(check(200, 1, 200), None);
    assert_eq!(check(401, 3, 1), None);
    assert_eq!(check(200_000, 1000, 200), None);
    assert_eq!(check(200_001, 1000, 200), Some(CutShort::TooManyPages));
}
