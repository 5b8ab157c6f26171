//! The bytes of an event as a JSON value, read strictly: no object may have a key twice.
//!
//! JSON's own specification leaves open what a second key means (RFC 8259, 4: "the behavior of software that receives
//! such an object is unpredictable"), and most readers silently take the last one. A policy with `"Count": 7` and,
//! further down, `"Count": 1` would be another policy than its author reads, and delete accordingly.
//!
//! Promise: no bytes make this panic, and what is refused is told in a bounded number of findings, each with its path.
//! Nesting is bounded by `serde_json` itself, at 128.

use super::keys::quoted;
use super::not_json;
use crate::policy::decode::{Finding, Reading};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;

/// How many bytes are read at most. Lambda hands over 6 MB, which take a hundred times their length as values: more
/// than the function's memory, and a function that is out of memory fails without a word. Step Functions hands over
/// 262,144 bytes, so every run has to do with those; four times as much leaves room for blanks.
pub const TEXT_LENGTH_MAX: usize = 4 * 262_144;

/// How many keys that stand twice are told one by one: somebody merged two documents, and sees it by the first ones.
const TWICE_MAX: usize = 20;

/// How many characters of a path are told, the last ones: DLM's own longest has some 90.
const PATH_LENGTH_MAX: usize = 200;

/// How a file begins that an editor or PowerShell wrote as UTF-8 with a mark, or as UTF-16.
const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

/// Reads a JSON document.
#[must_use]
pub fn read(text: &[u8]) -> Reading<Value> {
    if text.len() > TEXT_LENGTH_MAX {
        return refused(format!("the event has {} bytes, expected at most {TEXT_LENGTH_MAX}", text.len()));
    }
    let twice = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let root = Place { path: &Path::Root, twice: &twice };
    let value = root.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) => Reading { value: Some(value), errors: vec![], not_supported: vec![], warnings: vec![] }
            .with_errors(twice.into_inner()),
        Err(_) if MARKS.iter().any(|mark| text.starts_with(mark)) => {
            refused("begins with a byte order mark, expected UTF-8 without one".to_owned())
        }
        Err(error) => {
            refused(not_json::sentence(text).unwrap_or_else(|| format!("not JSON that can be read: {error}")))
        }
    }
}

fn refused(message: String) -> Reading<Value> {
    Reading::refused(vec![Finding { path: String::new(), message }])
}

/// Where in the document a value stands.
enum Path<'a> {
    Entry(&'a Self, usize),
    Key(&'a Self, &'a str),
    Root,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Key(Self::Root, key) => f.write_str(&quoted(key)),
            Self::Key(parent, key) => write!(f, "{parent}.{}", quoted(key)),
            Self::Root => Ok(()),
        }
    }
}

/// A place whose value is to be read, and the keys that stood twice so far.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path<'a>,
    twice: &'a RefCell<Vec<Finding>>,
}

impl Place<'_> {
    fn tell_twice(self, key: &str) {
        let path = Path::Key(self.path, key).to_string();
        let left_off = path.chars().count().saturating_sub(PATH_LENGTH_MAX);
        let end: String = path.chars().skip(left_off).collect();
        let path = if left_off > 0 { format!("...{end}") } else { end };
        let message = "stands more than once, expected every key once: which one was meant is unknown".to_owned();
        let finding = Finding { path, message };
        let mut twice = self.twice.borrow_mut();
        if twice.len() < TWICE_MAX && !twice.contains(&finding) {
            twice.push(finding);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        // Bounded by the length of the document, which is at most TEXT_LENGTH_MAX.
        loop {
            let path = Path::Entry(self.path, list.len());
            match access.next_element_seed(Place { path: &path, twice: self.twice })? {
                None => return Ok(Value::Array(list)),
                Some(value) => list.push(value),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        // Bounded by the length of the document, which is at most TEXT_LENGTH_MAX.
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                self.tell_twice(&key);
            }
            let path = Path::Key(self.path, &key);
            let value = access.next_value_seed(Place { path: &path, twice: self.twice })?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
