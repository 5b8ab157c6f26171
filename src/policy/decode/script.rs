//! `Scripts` of a create rule (V11).

use super::node::{Node, Word};
use super::object::Object;
use super::pattern;
use super::shape;

/// The handler of Windows application-consistent snapshots, which takes no stages, service or timeout.
const VSS: &str = "AWS_VSS_BACKUP";

const SERVICES: [Word<()>; 1] = [Word::new("AWS_SYSTEMS_MANAGER", ())];

const STAGES: [Word<()>; 2] = [Word::new("POST", ()), Word::new("PRE", ())];

/// Checks the scripts; whether one of them is VSS.
pub(super) fn check(node: &Node<'_>) -> bool {
    let scripts = node.list(0..=1, |entry| entry.object(&shape::SCRIPT, |object| Some(is_vss(object))));
    scripts.given().unwrap_or_default().contains(&true)
}

fn is_vss(object: &mut Object<'_>) -> bool {
    let is_vss = object.take("ExecutionHandler").matching(&pattern::SCRIPT_HANDLER).given() == Some(VSS);
    let service = object.take("ExecutionHandlerService");
    service.word(&SERVICES);
    let stages = object.take("Stages");
    stages.list(1..=2, |stage| stage.word(&STAGES));
    object.take("ExecuteOperationOnScriptFailure").boolean();
    let timeout = object.take("ExecutionTimeout");
    timeout.integer(10..=120);
    object.take("MaximumRetryCount").integer(0..=3);
    for node in [service, stages, timeout].iter().filter(|node| is_vss && !node.is_empty()) {
        node.error(format!("set beside {VSS}, expected nothing"));
    }
    is_vss
}
