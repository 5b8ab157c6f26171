//! A deployed policy in the place of a file, for the commands that read one.

use super::site::Site;
use super::{Group, Told, event_of, finish_with};
use crate::policy::PolicyId;
use serde_json::Value;
use std::path::Path;
use std::thread;

/// The event of the deployed policy that `name` names, where it names no file and may be an id: no file that somebody writes an
/// event into has a name without a full stop.
pub(in crate::cli) fn deployed(name: &Path) -> Option<Told<Value>> {
    let text = name.to_str().filter(|text| !text.contains('.') && *text != "-" && !name.exists())?;
    let id = PolicyId::parse(text).ok()?;
    // In a thread of its own, because some commands read their document inside of a runtime.
    let looked = thread::spawn(move || finish_with(look(&id))).join();
    let told = looked.unwrap_or_else(|_| Err("the look at EventBridge Scheduler broke off".to_owned()));
    Some(told.map_err(|why| format!("there is no such file, and no such policy: {why}")))
}

async fn look(id: &PolicyId) -> Told<Value> {
    let site = Site::open(Group { name: None }.name()).await?;
    let deployed = site.policy(id)?;
    Ok(event_of(&deployed.newest().document, deployed.revision()))
}
