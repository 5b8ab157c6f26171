//! What to tell somebody who wrote a key that DLM does not have.

use super::shape::{self, Shape};
use super::shown::shown;

/// The places that are named at most for a key that stands elsewhere in the schema: `Interval` stands in eight.
const PLACES_MAX: usize = 3;

/// The longest key that is compared with DLM's own, the longest of which has 31 characters.
const COMPARED_LENGTH_MAX: usize = 64;

/// The share of letters, in per cent, that two keys have in common and in order when one is taken for a misspelling of
/// the other. `RetentionRule` and `RetainRule` have 78, `Encryption` and `EncryptionConfiguration` 60, and of DLM's own
/// keys `VariableTags` and `TargetTags` 63: that is why the place of a key that DLM has comes before a guess.
const NEAR_PER_CENT: usize = 60;

/// What is wrong with a key that is not in `shape`.
pub(super) fn unknown_key(key: &str, shape: &Shape) -> String {
    let known: Vec<&str> = shape.keys.iter().filter(|key| !key.is_misspelling).map(|key| key.name).collect();
    let advice = match (extended(key, &known), places(key), nearest(key, &known)) {
        (Some(longer), Some(places), _) => format!("; did you mean {longer}? {key} itself belongs in {places}"),
        (None, Some(places), _) => format!("; {key} belongs in {places}"),
        (Some(near), None, _) | (None, None, Some(near)) => format!("; did you mean {near}?"),
        (None, None, None) => String::new(),
    };
    format!("unknown key, expected {}{advice}", one_of(&known))
}

/// `A`, or `one of A, B, C`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [only] => (*only).to_owned(),
        _ => format!("one of {}", words.join(", ")),
    }
}

/// `A`, `A or B`, or `A, B or C`.
pub(super) fn listing(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}

/// A key of the document as a path or a message names it.
pub(super) fn named(key: &str) -> String {
    shown(key, COMPARED_LENGTH_MAX)
}

/// A text of the document, cut to what a message can hold; for `{:?}`, which escapes the rest.
pub(super) fn shortened(text: &str) -> String {
    if text.chars().nth(COMPARED_LENGTH_MAX).is_none() {
        return text.to_owned();
    }
    text.chars().take(COMPARED_LENGTH_MAX).chain("...".chars()).collect()
}

/// The known key that begins or ends with `key`, as `CrossRegionCopyRules` begins with `CrossRegionCopy`.
fn extended<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let key = folded(key)?;
    known.iter().copied().find(|name| folded(name).is_some_and(|name| name.starts_with(&key) || name.ends_with(&key)))
}

/// Where the schema has a key of exactly that name.
fn places(key: &str) -> Option<String> {
    let mut places: Vec<&str> = shape::ALL.iter().filter(|shape| shape.key(key).is_some()).map(|s| s.place).collect();
    if places.len() > PLACES_MAX {
        places.truncate(PLACES_MAX);
        places.push("elsewhere");
    }
    (!places.is_empty()).then(|| listing(&places, "or"))
}

/// The known key that has most in common with `key`, when that is enough.
pub(crate) fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let key = folded(key)?;
    let scored = known.iter().filter_map(|name| Some((likeness(&key, &folded(name)?), *name)));
    scored.filter(|(score, _)| *score >= NEAR_PER_CENT).max_by_key(|(score, _)| *score).map(|(_, name)| name)
}

/// A key without its case and separators; `None` for one that is too short or too long to be compared.
fn folded(key: &str) -> Option<String> {
    if key.len() > COMPARED_LENGTH_MAX {
        return None;
    }
    let folded: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    (folded.len() > 2).then_some(folded)
}

/// How much two texts have in common, in per cent: the letters of their longest common subsequence.
fn likeness(a: &str, b: &str) -> usize {
    let mut row = vec![0_usize; b.len() + 1];
    for x in a.bytes() {
        let mut diagonal = 0;
        let mut left = 0;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let above = *cell;
            *cell = if x == y { diagonal + 1 } else { above.max(left) };
            diagonal = above;
            left = *cell;
        }
    }
    let common = row.last().copied().unwrap_or_default();
    (200 * common).checked_div(a.len() + b.len()).unwrap_or_default()
}
