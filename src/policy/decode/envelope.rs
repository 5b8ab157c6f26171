//! The policy around `PolicyDetails`.

use super::super::{Policy, PolicyId, PolicyState};
use super::IdRule;
use super::default_policy;
use super::details::{self, Details};
use super::kind::Kinds;
use super::node::{Field, Node, Word};
use super::object::Object;
use super::pattern;
use super::shape;
use super::tags;
use serde_json::Value;

/// What `State` can be. DLM itself sets `ERROR`.
#[derive(Debug, Clone, Copy)]
enum State {
    Disabled,
    Enabled,
    Error,
}

const STATES: [Word<State>; 3] =
    [Word::new("DISABLED", State::Disabled), Word::new("ENABLED", State::Enabled), Word::new("ERROR", State::Error)];

const DEFAULT_POLICIES: [Word<()>; 2] = [Word::new("INSTANCE", ()), Word::new("VOLUME", ())];

/// The fields of default policies that can stand beside `PolicyDetails` instead of in it.
const SHORTHAND: [&str; 6] =
    ["CreateInterval", "RetainInterval", "CopyTags", "ExtendDeletion", "CrossRegionCopyTargets", "Exclusions"];

/// Reads a policy.
pub(super) fn read(object: &mut Object<'_>, rule: IdRule) -> Option<Policy> {
    let id = id(&object.take("PolicyId"), rule);
    let description = description(&object.take("Description"));
    let state = state(&object.take("State"));
    let role = object.take("ExecutionRoleArn");
    warn_unless(&role, &pattern::ROLE_ARN, role.text());
    tags::of_policy(&object.take("Tags"));
    check_default_policy(&object.take("DefaultPolicy"), &object.at("PolicyDetails"));
    let details_id = id.clone().unwrap_or_else(PolicyId::unassigned);
    let details_node = object.take("PolicyDetails");
    let details = details_node.object(&shape::DETAILS, |object| details::read(object, &details_id));
    let shorthand = shorthand(object);
    check_read_only(object);
    let details = match details {
        Field::Absent => shorthand?,
        Field::Invalid => return None,
        Field::Given(details) => details,
    };
    Some(Policy {
        id: id?,
        description: description?,
        state: state?,
        targets: details.targets,
        schedules: details.schedules,
    })
}

fn id(node: &Node<'_>, rule: IdRule) -> Option<PolicyId> {
    match (node.text(), rule) {
        (Field::Absent, IdRule::Optional) => Some(PolicyId::unassigned()),
        (Field::Absent, IdRule::Required) => {
            node.error(
                "missing, expected an id such as policy-0123456789abcdef0: add one, and never change it, because the \
                 policy's snapshots are found by it",
            );
            None
        }
        (Field::Invalid, _) => None,
        (Field::Given(text), _) => PolicyId::parse(text).map_err(|error| node.error(error.to_string())).ok(),
    }
}

fn description(node: &Node<'_>) -> Option<String> {
    let text = node.text();
    warn_unless(node, &pattern::DESCRIPTION, text);
    text.or("").map(str::to_owned)
}

/// Warns of a text that Amazon DLM refuses and that means nothing to opendlm.
fn warn_unless(node: &Node<'_>, pattern: &pattern::Pattern, text: Field<&str>) {
    if let Field::Given(text) = text
        && !(pattern.holds)(text)
    {
        let shown = super::hint::shortened(text);
        node.warning(format!("expected {} but got {shown:?}", pattern.expected));
    }
}

fn state(node: &Node<'_>) -> Option<PolicyState> {
    match node.word(&STATES) {
        Field::Absent => {
            node.warning("missing, expected ENABLED or DISABLED: taken as ENABLED");
            Some(PolicyState::Enabled)
        }
        Field::Invalid => None,
        Field::Given(State::Disabled) => Some(PolicyState::Disabled),
        Field::Given(State::Enabled) => Some(PolicyState::Enabled),
        Field::Given(State::Error) => {
            node.warning(
                "ERROR, expected ENABLED or DISABLED: taken as DISABLED until somebody enables the policy again",
            );
            Some(PolicyState::Disabled)
        }
    }
}

/// `VOLUME` or `INSTANCE` where a policy is made, `true` or `false` where it is read back.
fn check_default_policy(node: &Node<'_>, details: &Node<'_>) {
    match node.value() {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => {
            // Whoever reads the policy back gets the details, and these say what it is about.
            if details.value().is_none() {
                let _: Field<()> = node.expected("INSTANCE or VOLUME where there are no PolicyDetails");
            }
        }
        Some(_) => {
            node.word(&DEFAULT_POLICIES);
        }
    }
    if node.context.kinds == Kinds::DEFAULT_INSTANCES {
        node.value_not_supported("INSTANCE");
    }
}

/// Reads what a default policy says beside `PolicyDetails`. It says what differs from the defaults here or there, not
/// in both (model).
fn shorthand(object: &mut Object<'_>) -> Option<Details> {
    let details = default_policy::read(object);
    if !object.at("PolicyDetails").is_empty() && object.kinds().is_within(Kinds::DEFAULTS) {
        for name in SHORTHAND {
            let node = object.at(name);
            if !node.is_empty() {
                node.error(format!("{name} beside PolicyDetails, expected it inside PolicyDetails"));
            }
        }
    }
    details
}

/// Times come back as ISO text from the API's model and as numbers from its wire.
fn check_read_only(object: &mut Object<'_>) {
    for name in ["PolicyArn", "StatusMessage"] {
        object.take(name).any_text();
    }
    for name in ["DateCreated", "DateModified"] {
        let node = object.take(name);
        if !matches!(node.value(), None | Some(Value::Number(_) | Value::String(_))) {
            let _: Field<()> = node.expected("a time as text or as a number of seconds");
        }
    }
}
