//! Whether an answer came whole.
//!
//! The SDK forgives what is wrong with a document (aws-smithy-xml, `ScopedDecoder`: the end of the input or an error
//! of the tokenizer ends an element as its end tag does; of two elements of one name the later one counts). To it a
//! listing that was cut off is a shorter listing, and the answer to a deletion is not read at all. A shorter listing
//! that counts as complete could delete, so every answer that claims success is read here once more, by the same
//! tokenizer.
//!
//! Promise: what passes is one whole document of the kind that the call has, and no element in it hides another one.

use aws_sdk_ec2::config::http::{HttpRequest, HttpResponse};
use aws_sdk_ec2::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use xmlparser::{ElementEnd, Token, Tokenizer};

/// Why an answer is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotWhole {
    #[error("the answer ends within <{0}>, expected all of it")]
    CutOff(String),
    #[error("the answer is of no kind that EC2 has: it holds {0}")]
    Foreign(&'static str),
    #[error("the answer is no XML: {0}")]
    Malformed(String),
    #[error("the answer says nothing, expected <{0}>")]
    Missing(String),
    #[error("the answer mixes text and elements in <{0}>")]
    Mixed(String),
    #[error("the answer is nested deeper than {DEPTH_MAX} elements")]
    TooDeep,
    #[error("the answer holds <{0}> twice in one place, expected it once")]
    Twice(String),
    #[error("the answer is <{got}>, expected <{expected}>")]
    OtherRoot { got: String, expected: String },
    #[error("the answer says that the call did not succeed: <return> is {0}")]
    Refused(String),
}

/// How deep elements may be nested: the SDK's own bound. EC2 nests a dozen.
const DEPTH_MAX: usize = 128;

/// The list that an answer to a listing holds even when nothing was found, and what a creation names (EC2 API
/// reference, the sample responses of each action). A deletion's `<return>` is left out by some endpoints.
const HELD: &[(&str, &str)] = &[
    ("CreateSnapshot", "snapshotId"),
    ("CreateSnapshots", "snapshotSet"),
    ("DescribeInstances", "reservationSet"),
    ("DescribeSnapshots", "snapshotSet"),
    ("DescribeVolumes", "volumeSet"),
];

/// The entries of a list, the one name that stands often in one place.
const ITEM: &str = "item";

/// Refuses answers that did not come whole.
#[derive(Debug)]
pub(super) struct Whole;

/// The EC2 action of a call.
#[derive(Debug)]
struct Called(String);

impl Storable for Called {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let called = called(context.request()).ok_or("a request without an EC2 action")?;
        cfg.interceptor_state().store_put(Called(called.to_owned()));
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Called(action) = cfg.load::<Called>().ok_or("an answer without a request")?;
        // What is no success is an error already, and says so by its status.
        if context.response().status().is_success() { Ok(check(action, body(context.response()))?) } else { Ok(()) }
    }
}

/// The action in the form that the EC2 protocol sends, `Action=DescribeVolumes&Version=...`.
fn called(request: &HttpRequest) -> Option<&str> {
    let form = std::str::from_utf8(request.body().bytes()?).ok()?;
    form.split('&').find_map(|field| field.strip_prefix("Action="))
}

fn body(response: &HttpResponse) -> &[u8] {
    response.body().bytes().unwrap_or_default()
}

/// Checks the answer to `action`.
fn check(action: &str, body: &[u8]) -> Result<(), NotWhole> {
    let text = std::str::from_utf8(body).map_err(|error| NotWhole::Malformed(error.to_string()))?;
    let mut reading = Reading { action, open: Vec::new(), names: Vec::new() };
    // Bounded by the length of the text.
    for token in Tokenizer::from(text) {
        reading.take(token.map_err(|error| NotWhole::Malformed(error.to_string()))?)?;
    }
    reading.end()
}

/// A document as far as it was read.
struct Reading<'a> {
    action: &'a str,
    /// The elements that have begun and not ended, from the outside in.
    open: Vec<Open<'a>>,
    /// The names of the children of each open element so far, those of the innermost one last; below them the root's.
    names: Vec<&'a str>,
}

/// An element that has begun and not ended.
struct Open<'a> {
    prefix: &'a str,
    name: &'a str,
    /// Where the names of its children begin.
    children: usize,
    has_text: bool,
}

impl<'a> Reading<'a> {
    fn take(&mut self, token: Token<'a>) -> Result<(), NotWhole> {
        match token {
            Token::ElementStart { prefix, local, .. } => self.begin(prefix.as_str(), local.as_str()),
            Token::ElementEnd { end: ElementEnd::Open, .. } => Ok(()),
            Token::ElementEnd { end: ElementEnd::Empty, .. } => {
                self.close();
                Ok(())
            }
            Token::ElementEnd { end: ElementEnd::Close(prefix, name), .. } => {
                self.end_of(prefix.as_str(), name.as_str())
            }
            Token::Text { text } => self.text(text.as_str()),
            // The SDK takes a reference that it cannot resolve for the end of the list.
            Token::Attribute { value, .. } if value.as_str().contains('&') => {
                Err(NotWhole::Foreign("a reference in an attribute"))
            }
            // The SDK passes over these, or takes the text before them for all of it.
            Token::Cdata { .. } => Err(NotWhole::Foreign("a CDATA section")),
            Token::Comment { .. } | Token::ProcessingInstruction { .. } if !self.open.is_empty() => {
                Err(NotWhole::Foreign("a comment or an instruction between the elements"))
            }
            Token::DtdStart { .. }
            | Token::EmptyDtd { .. }
            | Token::EntityDeclaration { .. }
            | Token::DtdEnd { .. } => Err(NotWhole::Foreign("a document type")),
            Token::Attribute { .. }
            | Token::Comment { .. }
            | Token::Declaration { .. }
            | Token::ProcessingInstruction { .. } => Ok(()),
        }
    }

    fn begin(&mut self, prefix: &'a str, name: &'a str) -> Result<(), NotWhole> {
        let siblings = match self.open.last() {
            None => self.root(name)?,
            Some(parent) if parent.has_text => return Err(NotWhole::Mixed(parent.name.to_owned())),
            Some(parent) => parent.children,
        };
        if name != ITEM && self.names.iter().skip(siblings).any(|sibling| *sibling == name) {
            return Err(NotWhole::Twice(name.to_owned()));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(NotWhole::TooDeep);
        }
        self.names.push(name);
        self.open.push(Open { prefix, name, children: self.names.len(), has_text: false });
        Ok(())
    }

    /// Checks the name of the root, before which there are no names.
    fn root(&self, name: &str) -> Result<usize, NotWhole> {
        let expected = format!("{}Response", self.action);
        if name == expected { Ok(0) } else { Err(NotWhole::OtherRoot { got: name.to_owned(), expected }) }
    }

    fn text(&mut self, text: &str) -> Result<(), NotWhole> {
        let is_child_of_root = self.open.len() == 2;
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        if text.trim().is_empty() {
            return Ok(());
        }
        // Beside elements the SDK reads the text or the elements, as it comes.
        if open.has_text || self.names.len() > open.children {
            return Err(NotWhole::Mixed(open.name.to_owned()));
        }
        open.has_text = true;
        if is_child_of_root && open.name == "return" && text.trim() != "true" {
            return Err(NotWhole::Refused(text.to_owned()));
        }
        Ok(())
    }

    fn end_of(&mut self, prefix: &str, name: &str) -> Result<(), NotWhole> {
        match self.open.last() {
            Some(open) if open.name == name && open.prefix == prefix => {
                self.close();
                Ok(())
            }
            Some(open) => Err(NotWhole::Malformed(format!("<{}> ends as </{name}>", open.name))),
            None => Err(NotWhole::Malformed(format!("</{name}> ends nothing"))),
        }
    }

    /// Forgets the innermost element and its children, all but the root's: they stay to be asked for.
    fn close(&mut self) {
        if let Some(ended) = self.open.pop().filter(|_| !self.open.is_empty()) {
            self.names.truncate(ended.children);
        }
    }

    fn end(self) -> Result<(), NotWhole> {
        if let Some(open) = self.open.last() {
            return Err(NotWhole::CutOff(open.name.to_owned()));
        }
        let expected = HELD.iter().find(|(action, _)| *action == self.action).map(|(_, name)| *name);
        match (self.names.split_first(), expected) {
            (None, _) => Err(NotWhole::Missing(format!("{}Response", self.action))),
            (Some((_, children)), Some(name)) if !children.contains(&name) => Err(NotWhole::Missing(name.to_owned())),
            (Some(_), _) => Ok(()),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
