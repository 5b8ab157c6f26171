//! The files that `put` and `template` take, and the ids that are written into them.

use super::say::{complain, tell};
use crate::cli::document::told;
use crate::live::deployed::Inventory;
use crate::live::document::{self, Wanted};
use crate::live::file;
use crate::policy::PolicyId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};

/// A file with a policy.
pub(super) struct Policy {
    pub(super) file: PathBuf,
    pub(super) wanted: Wanted,
    /// The file's text with the id that the policy has got here; nothing where it had one.
    pub(super) new_text: Option<String>,
}

/// Reads the files; everything that is wrong with any of them is told, and then there is nothing.
pub(super) fn read(files: &[PathBuf], inventory: &Inventory) -> Option<Vec<Policy>> {
    let mut policies: Vec<Policy> = Vec::new();
    let mut is_good = true;
    for file in files {
        match of_file(file, inventory) {
            Ok(policy) => policies.push(policy),
            Err(lines) => {
                is_good = false;
                lines.iter().for_each(|line| tell(line));
            }
        }
    }
    let mut by_id: BTreeMap<&PolicyId, &Path> = BTreeMap::new();
    for policy in &policies {
        let id = &policy.wanted.event.policy.id;
        if let Some(other) = by_id.insert(id, &policy.file) {
            is_good = false;
            complain(&format!(
                "{} and {} both have the PolicyId {id}, expected one for each",
                other.display(),
                policy.file.display()
            ));
        }
    }
    is_good.then_some(policies)
}

fn of_file(file: &Path, inventory: &Inventory) -> Result<Policy, Vec<String>> {
    let name = file.display().to_string();
    let with_name = |lines: Vec<String>| lines.into_iter().map(|line| format!("{name}: {line}")).collect::<Vec<_>>();
    let is_standard_input = file.as_os_str() == "-";
    let text =
        if is_standard_input { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| vec![format!("error: {name}: cannot be read: {error}")])?;
    let reading = crate::event::json::read(text.as_bytes());
    let Some(value) = &reading.value else { return Err(with_name(told(&reading))) };
    let is_without_id = !has_id(value) && !is_standard_input;
    let new_text = if is_without_id { file::with_policy_id(&text, &new_id(inventory)) } else { None };
    let again = new_text.as_ref().and_then(|text| crate::event::json::read(text.as_bytes()).value);
    let value = again.unwrap_or_else(|| value.clone());
    let reading = document::wanted(&value);
    let lines = with_name(told(&reading));
    match reading.value {
        Some(wanted) => {
            lines.iter().for_each(|line| tell(line));
            Ok(Policy { file: file.to_owned(), wanted, new_text })
        }
        None => Err(lines),
    }
}

/// Whether the policy has an id, of whatever kind: what is there is not written over.
fn has_id(value: &Value) -> bool {
    let value = value.get("detail").unwrap_or(value);
    value.get("Policy").unwrap_or(value).get("PolicyId").is_some_and(|id| !id.is_null())
}

/// An id as Amazon DLM gives them out, that no deployed policy has. The hasher of the standard library is where there is chance
/// without another crate: its keys come from the operating system.
fn new_id(inventory: &Inventory) -> PolicyId {
    let random = || RandomState::new().build_hasher().finish();
    let new = || PolicyId::parse(&format!("policy-{:017x}", u128::from(random()) << 4 | u128::from(random() & 15)));
    std::iter::repeat_with(new)
        .filter_map(Result::ok)
        .find(|id| inventory.policy(id).is_none())
        .expect("an endless list of ids has a new one")
}
