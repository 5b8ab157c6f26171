//! A place in a JSON document, and the typed values that can be read there.

use super::hint;
use super::kind::Kinds;
use super::notes::Notes;
use super::object::Object;
use super::pattern::Pattern;
use super::shape::Shape;
use serde_json::Value;
use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

/// What all places of a document share while it is read.
#[derive(Debug)]
pub(super) struct Context {
    /// The kinds of policy that the document can be.
    pub(super) kinds: Kinds,
    /// What there is to tell about it so far.
    pub(super) notes: RefCell<Notes>,
}

/// A place in a document, whether something stands there or not.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) context: &'a Context,
    pub(super) path: String,
    value: Option<&'a Value>,
}

/// What was read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<T> {
    /// Nothing stands there, or what means the same: `null`, for a text `""`, for a list that needs an entry `[]`.
    Absent,
    /// Something that is wrong, and was reported.
    Invalid,
    /// A value.
    Given(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub(super) fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Invalid => None,
        }
    }

    /// Reads the value further; `None` means that it is invalid, and was reported.
    pub(super) fn and_then<U>(self, read: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Invalid => Field::Invalid,
            Self::Given(value) => read(value).map_or(Field::Invalid, Field::Given),
        }
    }

    /// The value, `absent` when nothing stands there, `None` when it is invalid.
    pub(super) fn or(self, absent: T) -> Option<T> {
        match self {
            Self::Absent => Some(absent),
            Self::Invalid => None,
            Self::Given(value) => Some(value),
        }
    }
}

/// One of the words that can stand at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<T> {
    text: &'static str,
    value: T,
    on: Kinds,
    is_built: bool,
}

impl<T: Copy> Word<T> {
    /// A word that stands for `value`.
    pub(super) const fn new(text: &'static str, value: T) -> Self {
        Self { text, value, on: Kinds::ALL, is_built: true }
    }

    /// The word, on these kinds of policy only.
    pub(super) const fn on(self, on: Kinds) -> Self {
        Self { on, ..self }
    }

    /// The word, which opendlm understands but does not carry out.
    pub(super) const fn later(self) -> Self {
        Self { is_built: false, ..self }
    }
}

impl<'a> Node<'a> {
    /// The place of `value`, which `null` leaves empty.
    pub(super) fn new(context: &'a Context, path: String, value: Option<&'a Value>) -> Self {
        Self { context, path, value: value.filter(|value| !value.is_null()) }
    }

    /// What stands there.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// The place as if `value` stood there.
    pub(super) fn with(&self, value: &'a Value) -> Self {
        Self::new(self.context, self.path.clone(), Some(value))
    }

    /// Whether nothing stands there, or an empty text or list.
    pub(super) fn is_empty(&self) -> bool {
        match self.value {
            None => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_)) => false,
        }
    }

    /// Reports an error here.
    pub(super) fn error(&self, message: impl Into<String>) {
        self.context.notes.borrow_mut().errors.push(&self.path, message);
    }

    /// Reports a warning here.
    pub(super) fn warning(&self, message: impl Into<String>) {
        self.context.notes.borrow_mut().warnings.push(&self.path, message);
    }

    /// Reports that opendlm does not carry out the key that stands here.
    pub(super) fn key_not_supported(&self) {
        self.context.notes.borrow_mut().not_supported.push(&self.path, "not supported yet");
    }

    /// Reports that opendlm does not carry out what stands here, in words.
    pub(super) fn value_not_supported(&self, what: &str) {
        self.context.notes.borrow_mut().not_supported.push(&self.path, format!("{what} is not supported yet"));
    }

    /// Reports that something else was expected here.
    pub(super) fn expected<T>(&self, expected: impl fmt::Display) -> Field<T> {
        self.error(format!("expected {expected} but got {}", Got(self.value)));
        Field::Invalid
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Field<bool> {
        match self.value {
            None => Field::Absent,
            Some(Value::Bool(value)) => Field::Given(*value),
            Some(_) => self.expected("true or false"),
        }
    }

    /// A whole number in `range`.
    pub(super) fn integer(&self, range: RangeInclusive<u32>) -> Field<u32> {
        let least = *range.start();
        self.integer_told(range, least)
    }

    /// A whole number in `range`, of which a person is told that it begins at `least`.
    pub(super) fn integer_told(&self, range: RangeInclusive<u32>, least: u32) -> Field<u32> {
        let Some(value) = self.value else { return Field::Absent };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Field::Given(number);
        }
        let is_quoted = value.as_str().and_then(|text| text.parse().ok()).is_some_and(|number| range.contains(&number));
        let quotes = if is_quoted { ": take the quotes away" } else { "" };
        self.error(format!(
            "expected a whole number from {least} to {} but got {}{quotes}",
            range.end(),
            Got(self.value)
        ));
        Field::Invalid
    }

    /// A text; `""` counts as absent.
    pub(super) fn text(&self) -> Field<&'a str> {
        match self.any_text() {
            Field::Given("") => Field::Absent,
            field => field,
        }
    }

    /// A text, maybe an empty one.
    pub(super) fn any_text(&self) -> Field<&'a str> {
        match self.value {
            None => Field::Absent,
            Some(Value::String(text)) => Field::Given(text),
            Some(_) => self.expected("a text"),
        }
    }

    /// A text of a form.
    pub(super) fn matching(&self, pattern: &Pattern) -> Field<&'a str> {
        match self.text() {
            Field::Given(text) if !(pattern.holds)(text) => self.expected(pattern.expected),
            field => field,
        }
    }

    /// One of `words`.
    pub(super) fn word<T: Copy>(&self, words: &[Word<T>]) -> Field<T> {
        self.text().and_then(|text| {
            let kinds = self.context.kinds;
            let here: Vec<&str> = words.iter().filter(|word| word.on.meets(kinds)).map(|word| word.text).collect();
            let Some(word) = words.iter().find(|word| word.text == text) else {
                let all: Vec<&str> = words.iter().map(|word| word.text).collect();
                let fitting = if here.is_empty() { all } else { here };
                return self.expected(hint::listing(&fitting, "or")).given();
            };
            if !word.on.meets(kinds) {
                // Where no word fits, the key itself was refused.
                if !here.is_empty() {
                    self.error(format!("{text} on {kinds}, expected {}", hint::listing(&here, "or")));
                }
                return None;
            }
            if !word.is_built {
                self.value_not_supported(text);
            }
            Some(word.value)
        })
    }

    /// A list of `range` entries, each read by `read`. A scalar is taken as the only entry, as old examples of AWS
    /// write it. An empty list is absent unless `range` allows it; of one that is too long the first entries are read.
    pub(super) fn list<T>(&self, range: RangeInclusive<usize>, read: impl Fn(&Self) -> Field<T>) -> Field<Vec<T>> {
        let items = match self.value {
            None => return Field::Absent,
            Some(Value::Array(items)) if items.is_empty() && !range.contains(&0) => return Field::Absent,
            Some(Value::String(text)) if text.is_empty() => return Field::Absent,
            Some(Value::Array(items)) => items.as_slice(),
            Some(Value::Null | Value::Object(_)) => return self.expected("a list"),
            Some(scalar @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                self.warning(format!("expected a list but got {}, taken as a list of one", Got(self.value)));
                std::slice::from_ref(scalar)
            }
        };
        let fits = range.contains(&items.len());
        if !fits {
            self.error(format!("expected {} but got {} entries", entries(&range), items.len()));
        }
        let nodes = items.iter().take(*range.end()).enumerate();
        let values: Vec<Option<T>> = nodes.map(|(index, item)| self.entry(index, item, &read)).collect();
        match values.into_iter().collect::<Option<Vec<T>>>() {
            Some(values) if fits => Field::Given(values),
            _ => Field::Invalid,
        }
    }

    fn entry<T>(&self, index: usize, item: &'a Value, read: &impl Fn(&Self) -> Field<T>) -> Option<T> {
        let node = Self::new(self.context, format!("{}[{index}]", self.path), Some(item));
        match read(&node) {
            Field::Absent => node.expected("an entry").given(),
            Field::Invalid => None,
            Field::Given(value) => Some(value),
        }
    }

    /// An object of that shape. `read` takes all its keys, whatever is wrong with some of them, and answers `None` when
    /// it has reported an error.
    pub(super) fn object<T>(&self, shape: &'static Shape, read: impl FnOnce(&mut Object<'a>) -> Option<T>) -> Field<T> {
        match self.value {
            None => Field::Absent,
            Some(Value::Object(map)) => {
                let mut object = Object::new(self.clone(), map, shape);
                let value = read(&mut object);
                object.finish();
                value.map_or(Field::Invalid, Field::Given)
            }
            Some(_) => self.expected("an object"),
        }
    }
}

fn entries(range: &RangeInclusive<usize>) -> String {
    match (range.start(), range.end()) {
        (1, 1) => "1 entry".to_owned(),
        (0, most) => format!("at most {most}"),
        (least, most) => format!("{least} to {most}"),
    }
}

/// What stands somewhere, short enough for a message.
struct Got<'a>(Option<&'a Value>);

impl fmt::Display for Got<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None | Some(Value::Null) => f.write_str("nothing"),
            Some(Value::Bool(value)) => write!(f, "{value}"),
            Some(Value::Number(number)) => write!(f, "{number}"),
            Some(Value::String(text)) => write!(f, "{:?}", hint::shortened(text)),
            Some(Value::Array(items)) => write!(f, "a list of {}", items.len()),
            Some(Value::Object(_)) => f.write_str("an object"),
        }
    }
}
