//! Lists of tags, and what their keys and values may be.

use super::super::{Tag, Variable, VariableTag};
use super::node::{Field, Node, Word};
use super::shape;
use serde_json::Value;
use std::collections::BTreeSet;

/// The longest key that EC2 takes (DLM's own model says 500, of which nothing above this could be carried out).
const KEY_LENGTH_MAX: usize = 128;

/// The longest value that EC2 takes.
const VALUE_LENGTH_MAX: usize = 256;

/// The tags that a policy itself can have (model: `TagMap`).
const POLICY_TAGS_MAX: usize = 200;

/// The beginnings of tag keys that belong to somebody else, and whose they are.
const RESERVED_KEYS: [(&str, &str); 3] =
    [("aws:", "AWS"), ("dlm:managed", "Amazon DLM"), ("opendlm:", "opendlm itself")];

/// What `VariableTags` can hold (V12).
const VARIABLES: [Word<Variable>; 2] =
    [Word::new("$(instance-id)", Variable::InstanceId), Word::new("$(timestamp)", Variable::Timestamp)];

/// `TargetTags`, at least one. Keys may begin with `aws:`, as in `aws:cloudformation:stack-id`.
pub(super) fn target(node: &Node<'_>) -> Field<Vec<Tag>> {
    node.list(1..=50, tag)
}

/// The tags that exclude something, maybe none.
pub(super) fn excluding(node: &Node<'_>) -> Field<Vec<Tag>> {
    node.list(0..=50, tag)
}

/// `TagsToAdd`, maybe none.
pub(super) fn to_add(node: &Node<'_>) -> Field<Vec<Tag>> {
    let tags = node.list(0..=45, |entry| tag(entry).and_then(|tag| addable(entry, tag)));
    tags.and_then(|tags| distinct(node, tags, |tag| &tag.key))
}

/// `VariableTags`, maybe none.
pub(super) fn variable(node: &Node<'_>) -> Field<Vec<VariableTag>> {
    let tags = node.list(0..=45, |entry| tag(entry).and_then(|tag| with_variable(entry, tag)));
    tags.and_then(|tags| distinct(node, tags, |tag| &tag.key))
}

/// The variable tags whose keys `TagsToAdd` leaves free. EC2 takes a key once; what DLM does with one that stands in
/// both lists is not documented. The text that somebody wrote out wins over the one that is filled in, and a backup is
/// not refused for it.
pub(super) fn without_added(node: &Node<'_>, tags: Vec<VariableTag>, added: &[Tag]) -> Vec<VariableTag> {
    let is_added = |tag: &VariableTag| added.iter().any(|added| added.key == tag.key);
    for tag in tags.iter().filter(|tag| is_added(tag)) {
        node.warning(format!(
            "tag key {:?} stands in TagsToAdd too, expected it in one of the two: the value of TagsToAdd is taken",
            tag.key
        ));
    }
    tags.into_iter().filter(|tag| !is_added(tag)).collect()
}

/// The tags on the policy itself. They mean nothing to opendlm, so only their form can be wrong; what Amazon DLM would
/// refuse is a warning. CloudFormation writes a list where the API has a map.
pub(super) fn of_policy(node: &Node<'_>) {
    match node.value() {
        None => {}
        Some(Value::Object(map)) => {
            if map.len() > POLICY_TAGS_MAX {
                node.error(format!("expected at most {POLICY_TAGS_MAX} tags but got {}", map.len()));
            }
            let mut tags: Vec<(&String, &Value)> = map.iter().take(POLICY_TAGS_MAX).collect();
            tags.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in tags {
                check_policy_tag(node, key, value);
            }
        }
        Some(Value::Array(list)) => {
            if !list.is_empty() {
                node.warning("expected a map of keys and values but got a list, read as CloudFormation writes it");
            }
            // Nothing hangs on the tags; the reading reports what is wrong with them.
            let _: Field<Vec<Tag>> = node.list(0..=POLICY_TAGS_MAX, tag);
        }
        Some(_) => {
            let _: Field<()> = node.expected("a map of keys and values");
        }
    }
}

fn check_policy_tag(node: &Node<'_>, key: &str, value: &Value) {
    let text = value.as_str();
    if text.is_none_or(|text| text.chars().count() > VALUE_LENGTH_MAX) && !value.is_null() {
        let shown = super::hint::shortened(key);
        node.error(format!("tag {shown:?}: expected a text of at most {VALUE_LENGTH_MAX} characters as its value"));
    }
    // The model: `^(?!aws:)[a-zA-Z+-=._:/]+$`, where `+-=` is a range that holds the digits.
    let is_allowed = |b: u8| b.is_ascii_alphabetic() || (b'+'..=b'=').contains(&b) || b"._:/".contains(&b);
    let is_taken = !key.is_empty() && key.len() <= KEY_LENGTH_MAX && key.bytes().all(is_allowed);
    if !is_taken || key.starts_with("aws:") {
        let shown = super::hint::shortened(key);
        node.warning(format!(
            "tag key {shown:?}, expected 1 to {KEY_LENGTH_MAX} letters, digits and +-=._:/ that do not begin with aws: \
             if it shall go to Amazon DLM"
        ));
    }
}

/// A tag as EC2 has it, without `\` and `=` in its key (V18).
fn tag(node: &Node<'_>) -> Field<Tag> {
    node.object(&shape::TAG, |object| {
        let key = object.take("Key");
        let value = object.take("Value");
        let key = key.text().and_then(|text| checked_key(&key, text));
        let value = value.any_text().and_then(|text| checked_value(&value, text));
        Some(Tag { key: key.given()?.to_owned(), value: value.given()?.to_owned() })
    })
}

fn checked_key<'a>(node: &Node<'_>, key: &'a str) -> Option<&'a str> {
    let length = key.chars().count();
    if length > KEY_LENGTH_MAX {
        node.error(format!("expected at most {KEY_LENGTH_MAX} characters but got {length}"));
        return None;
    }
    match key.chars().find(|c| matches!(c, '\\' | '=')) {
        Some(bad) => {
            node.error(format!("tag key holds {bad:?}, expected a key without '\\\\' and '='"));
            None
        }
        None => Some(key),
    }
}

fn checked_value<'a>(node: &Node<'_>, value: &'a str) -> Option<&'a str> {
    let length = value.chars().count();
    if length > VALUE_LENGTH_MAX {
        node.error(format!("expected at most {VALUE_LENGTH_MAX} characters but got {length}"));
        return None;
    }
    Some(value)
}

fn addable(entry: &Node<'_>, tag: Tag) -> Option<Tag> {
    let variables = ["$(instance-id)", "$(timestamp)"];
    if let Some(variable) = variables.into_iter().find(|variable| tag.value.contains(variable)) {
        entry.warning(format!("{variable} is taken literally here, expected it in VariableTags"));
    }
    if tag.value.starts_with("aws:") {
        entry.error("tag value begins with aws:, which is reserved for AWS, expected another value");
        return None;
    }
    unreserved(entry, tag)
}

fn with_variable(entry: &Node<'_>, tag: Tag) -> Option<VariableTag> {
    let value = Value::String(tag.value.clone());
    let child = Node::new(entry.context, format!("{}.Value", entry.path), Some(&value));
    match child.word(&VARIABLES) {
        Field::Given(value) => unreserved(entry, tag).map(|Tag { key, .. }| VariableTag { key, value }),
        Field::Absent => child.expected("$(instance-id) or $(timestamp)").given(),
        Field::Invalid => None,
    }
}

/// The tag, unless its key is reserved. AWS reserves its prefix in any mix of capitals.
fn unreserved(entry: &Node<'_>, tag: Tag) -> Option<Tag> {
    let key = tag.key.to_ascii_lowercase();
    match RESERVED_KEYS.into_iter().find(|(start, _)| key.starts_with(start)) {
        Some((start, owner)) => {
            entry.error(format!("tag key begins with {start}, which is reserved for {owner}, expected another key"));
            None
        }
        None => Some(tag),
    }
}

/// The tags, unless two have the same key, which EC2 refuses.
fn distinct<T>(node: &Node<'_>, tags: Vec<T>, key: impl Fn(&T) -> &str) -> Option<Vec<T>> {
    let mut keys = BTreeSet::new();
    match tags.iter().map(key).find(|key| !keys.insert(*key)) {
        Some(twice) => {
            node.error(format!("tag key {twice:?} stands twice, expected every key once"));
            None
        }
        None => Some(tags),
    }
}
