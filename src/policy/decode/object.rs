//! An object of a document, whose keys are taken one by one.

use super::hint;
use super::kind::Kinds;
use super::node::Node;
use super::notes::FINDINGS_MAX;
use super::shape::{Key, Misplaced, Shape};
use serde_json::{Map, Value};

/// An object of a document. Keys are taken out of it by name; those that its shape does not have are reported at the
/// end.
#[derive(Debug)]
pub(super) struct Object<'a> {
    node: Node<'a>,
    map: &'a Map<String, Value>,
    shape: &'static Shape,
    taken: Vec<&'static str>,
}

impl<'a> Object<'a> {
    pub(super) fn new(node: Node<'a>, map: &'a Map<String, Value>, shape: &'static Shape) -> Self {
        Self { node, map, shape, taken: Vec::new() }
    }

    /// The kinds of policy that the document can be.
    pub(super) fn kinds(&self) -> Kinds {
        self.node.context.kinds
    }

    /// The place of the object itself.
    pub(super) fn node(&self) -> &Node<'a> {
        &self.node
    }

    /// The place of a key.
    pub(super) fn at(&self, name: &str) -> Node<'a> {
        let path = if self.node.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.node.path) };
        Node::new(self.node.context, path, self.map.get(name))
    }

    /// Takes a key, and reports when it is missing, belongs to another kind of policy or is not carried out yet.
    pub(super) fn take(&mut self, name: &'static str) -> Node<'a> {
        let key = self.shape.key(name).expect("every key that is taken is in the table of its object");
        self.taken.push(name);
        let node = self.at(name);
        self.check(key, &node);
        node
    }

    fn check(&self, key: &Key, node: &Node<'a>) {
        let is_absent = if key.may_be_empty { node.value().is_none() } else { node.is_empty() };
        let kinds = self.kinds();
        if is_absent {
            if key.required_on != Kinds::NONE && kinds.is_within(key.required_on) {
                node.error(format!("missing, expected {}", key.expected));
            }
        } else if !kinds.meets(key.on) {
            match self.shape.misplaced {
                Misplaced::Ignored => node.warning(format!("{} means nothing on {kinds} and is ignored", key.name)),
                Misplaced::Refused => {
                    node.error(format!("{} on {kinds}, expected only on {}", key.name, key.on));
                }
            }
        } else if !key.is_built && node.value() != Some(&Value::Bool(false)) {
            node.key_not_supported();
        }
    }

    /// Reports the keys that the object's shape does not have, in the order of the alphabet whatever the order of the
    /// document.
    pub(super) fn finish(self) {
        debug_assert!(
            self.shape.keys.iter().all(|key| self.taken.contains(&key.name)),
            "every key of {} is taken, whatever is wrong with the others: {:?}",
            self.shape.place,
            self.taken
        );
        let mut unknown: Vec<&String> = self.map.keys().filter(|key| self.shape.key(key).is_none()).collect();
        unknown.sort_unstable();
        for (index, key) in unknown.into_iter().enumerate() {
            if index < FINDINGS_MAX {
                self.at(&hint::named(key)).error(hint::unknown_key(key, self.shape));
            } else {
                // What comes after so many is counted and never shown, so no path and no advice is worked out for it.
                self.node.error("unknown key");
            }
        }
    }
}
