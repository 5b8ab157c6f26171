//! What an event-based policy waits for and does (V14).

use super::amount::{Limits, Span};
use super::node::{Node, Word};
use super::object::Object;
use super::pattern;
use super::shape;

/// The one source of events.
const TYPES: [Word<()>; 1] = [Word::new("MANAGED_CWE", ())];

/// The one event.
const EVENT_TYPES: [Word<()>; 1] = [Word::new("shareSnapshot", ())];

/// Checks `EventSource`.
pub(super) fn check_source(node: &Node<'_>) {
    node.object(&shape::EVENT_SOURCE, |object| {
        object.take("Type").word(&TYPES);
        object.take("Parameters").object(&shape::EVENT_PARAMETERS, |parameters| {
            parameters.take("EventType").word(&EVENT_TYPES);
            parameters.take("SnapshotOwner").list(0..=50, |owner| owner.matching(&pattern::ACCOUNT));
            let regex = parameters.take("DescriptionRegex");
            regex.any_text();
            if !regex.is_empty() {
                regex.matching(&pattern::SHORT_REGEX);
            }
            Some(())
        });
        Some(())
    });
}

/// Checks `Actions`: exactly one.
pub(super) fn check_actions(node: &Node<'_>) {
    node.list(1..=1, |entry| {
        entry.object(&shape::ACTION, |action| {
            action.take("Name").matching(&pattern::NAME);
            action.take("CrossRegionCopy").list(0..=3, |copy| copy.object(&shape::COPY_ACTION, check_copy));
            Some(())
        })
    });
}

fn check_copy(object: &mut Object<'_>) -> Option<()> {
    object.take("Target").matching(&pattern::COPY_TARGET);
    object.take("EncryptionConfiguration").object(&shape::ENCRYPTION, |encryption| {
        encryption.take("Encrypted").boolean();
        encryption.take("CmkArn").matching(&pattern::KEY_ARN);
        Some(())
    });
    object.take("RetainRule").object(&shape::ACTION_RETAIN_RULE, |rule| Span::read_rule(rule, &Limits::KEEP));
    Some(())
}
