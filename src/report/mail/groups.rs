//! The failures of a report, put together by what failed and why: ten volumes that failed for one reason are one matter.

use crate::report::FailureReport;

/// How many kinds of failures a mail tells.
const GROUPS_MAX: usize = 12;

/// How many volumes or snapshots of a kind a mail names.
const RESOURCES_NAMED_MAX: usize = 5;

/// Resources that are none in particular: report/failures.rs and turn/run_wide.rs.
const OF_NONE: [&str; 4] = ["account", "all", "session", "the account"];

/// Failures of one action with one code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    /// The first of them: what it says stands for all.
    pub(super) first: &'a FailureReport,
    /// How many there are.
    pub(super) count: usize,
    /// The first resources, each once.
    resources: Vec<String>,
    /// How many there are in all.
    resources_count: usize,
}

/// The failures by kind, in the order of their first ones.
pub(super) fn groups(failures: &[FailureReport]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for failure in failures {
        let is_of =
            |group: &&mut Group<'_>| (&group.first.action, &group.first.code) == (&failure.action, &failure.code);
        if let Some(group) = groups.iter_mut().find(is_of) {
            group.add(failure);
        } else if groups.len() < GROUPS_MAX {
            let mut group = Group { first: failure, count: 0, resources: Vec::new(), resources_count: 0 };
            group.add(failure);
            groups.push(group);
        }
    }
    groups
}

impl Group<'_> {
    fn add(&mut self, failure: &FailureReport) {
        self.count += 1;
        let name = named(failure);
        if self.resources.contains(&name) {
            return;
        }
        self.resources_count += 1;
        if self.resources.len() < RESOURCES_NAMED_MAX {
            self.resources.push(name);
        }
    }

    /// What failed and why, by their names.
    pub(super) fn named(&self) -> String {
        let FailureReport { action, code, resource, .. } = self.first;
        let times = if self.count > 1 { format!("{} times ", self.count) } else { String::new() };
        // What is about all was no call.
        match (resource.as_str(), action.as_str()) {
            ("all", _) => format!("{times}{code}"),
            (_, "Run") => format!("{times}the run of a target, {code}"),
            _ => format!("{times}{action}, {code}"),
        }
    }

    /// The resources in a line; `None` where the failure is about none in particular.
    pub(super) fn resources(&self) -> Option<String> {
        if OF_NONE.contains(&self.first.resource.as_str()) {
            return None;
        }
        let more = self.resources_count - self.resources.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("{}{more}", self.resources.join(", ")))
    }
}

/// A resource with the schedule it was for and, in a sum, where it is.
fn named(failure: &FailureReport) -> String {
    let FailureReport { resource, schedule, account, region, .. } = failure;
    let schedule = schedule.as_ref().map(|name| format!("schedule {name}"));
    let place = region.as_ref().map(|region| match account {
        Some(account) => format!("account {account} in {region}"),
        None => format!("in {region}"),
    });
    let about: Vec<String> = schedule.into_iter().chain(place).collect();
    if about.is_empty() { resource.clone() } else { format!("{resource} ({})", about.join(", ")) }
}
