//! EC2's filters: what to ask for, and whether what came back is really it.

use super::pairs;
use crate::policy::Tag;
use crate::world::CutShort;
use aws_sdk_ec2::types::{self, Filter};
use std::collections::BTreeMap;

/// EC2's limit of values in a filter (EC2 user guide, "List and filter using the CLI and API").
pub(super) const FILTER_VALUES_MAX: usize = 200;
/// How many filters name ids: for 200,000, twice the volumes of the largest account that the design counts with.
const ID_FILTERS_MAX: usize = 1_000;
/// EC2's limit of characters in a filter value (same page).
const FILTER_VALUE_CHARACTERS_MAX: usize = 255;

/// Filters whose answers, taken together, hold every resource that carries one of `any_of`; perhaps others too. EC2
/// joins filters by AND, so there is a listing for each.
///
/// Filter *values* may hold wildcards, which a backslash takes their meaning; of filter *names* EC2's documentation
/// says nothing. So a key with such a character is asked for as a value, by `tag-key`, and so is a tag whose value is
/// empty or too long for a filter. What comes back is compared with the tags themselves ([`carries`]).
pub(super) fn target_filters(any_of: &[Tag]) -> Vec<Filter> {
    let mut values_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for tag in any_of {
        values_of.entry(&tag.key).or_default().push(literal(&tag.value));
    }
    let mut filters = Vec::new();
    for (key, values) in values_of {
        let is_plain = literal(key) == key && values.iter().all(|value| is_filter_value(value));
        if is_plain {
            filters
                .extend(values.chunks(FILTER_VALUES_MAX).map(|values| filter(&format!("tag:{key}"), values.to_vec())));
        } else {
            filters.push(filter("tag-key", vec![literal(key)]));
        }
    }
    filters
}

/// Filters that together name all `ids`, as many at a time as EC2 takes. What is beyond [`ID_FILTERS_MAX`] is not asked for.
pub(super) fn id_filters(name: &str, ids: &[impl ToString]) -> (Vec<Filter>, Option<CutShort>) {
    let chunks = ids.chunks(FILTER_VALUES_MAX);
    let cut_short = (chunks.len() > ID_FILTERS_MAX).then_some(CutShort::TooManyPages);
    let filters = chunks.take(ID_FILTERS_MAX).map(|ids| filter(name, ids.iter().map(ToString::to_string).collect()));
    (filters.collect(), cut_short)
}

pub(super) fn filter(name: &str, values: Vec<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// Whether a resource really carries one of the tags, case and all.
pub(super) fn carries(tags: &[types::Tag], any_of: &[Tag]) -> bool {
    pairs(tags).any(|(key, value)| any_of.iter().any(|one| one.key == key && one.value == value))
}

/// The text as a filter value that means just itself.
fn literal(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            value.push('\\');
        }
        value.push(character);
    }
    value
}

fn is_filter_value(value: &str) -> bool {
    (1..=FILTER_VALUE_CHARACTERS_MAX).contains(&value.chars().count())
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
