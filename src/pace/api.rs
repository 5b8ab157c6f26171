//! The EC2 calls that opendlm makes: one row a call, and one value for each of them.
//!
//! A further call is a row in each table here; what is kept for each call (buckets, lanes, queues, budgets, counts) is a
//! [`ByApi`] and needs none.

use super::Limit;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Index, IndexMut};

/// A call to EC2, as EC2 names it. EC2 keeps a bucket for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Api {
    /// Copies a snapshot to another Region, where it is called.
    CopySnapshot,
    /// Makes a snapshot of a volume.
    CreateSnapshot,
    /// Makes snapshots of the volumes of an instance.
    CreateSnapshots,
    /// Deletes a snapshot.
    DeleteSnapshot,
    /// Lists instances, a page a call.
    DescribeInstances,
    /// Lists snapshots, a page a call.
    DescribeSnapshots,
    /// Lists volumes, a page a call.
    DescribeVolumes,
}

/// A value for each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByApi<T>([T; Api::ALL.len()]);

impl Api {
    /// All of them, each at the place that its number says.
    pub const ALL: [Self; 7] = [
        Self::CopySnapshot,
        Self::CreateSnapshot,
        Self::CreateSnapshots,
        Self::DeleteSnapshot,
        Self::DescribeInstances,
        Self::DescribeSnapshots,
        Self::DescribeVolumes,
    ];

    /// EC2's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CopySnapshot => "CopySnapshot",
            Self::CreateSnapshot => "CreateSnapshot",
            Self::CreateSnapshots => "CreateSnapshots",
            Self::DeleteSnapshot => "DeleteSnapshot",
            Self::DescribeInstances => "DescribeInstances",
            Self::DescribeSnapshots => "DescribeSnapshots",
            Self::DescribeVolumes => "DescribeVolumes",
        }
    }

    /// EC2's bucket of it, as documented (EC2 developer guide, "Request throttling for the Amazon EC2 API", the table of request
    /// rate limits). CreateSnapshot, CreateSnapshots and DeleteSnapshot have a row each; CreateSnapshots takes one token for all
    /// volumes of an instance. CopySnapshot is among the "Mutating actions". What lists is among the "Non-mutating actions": this holds for calls with a filter or a page
    /// size, and all of ours have a page size; without either it would be 50 and 10.
    #[must_use]
    pub const fn documented(self) -> Limit {
        match self {
            Self::CopySnapshot => Limit::of(50, 5),
            Self::CreateSnapshot | Self::CreateSnapshots | Self::DeleteSnapshot => Limit::of(100, 5),
            Self::DescribeInstances | Self::DescribeSnapshots | Self::DescribeVolumes => Limit::of(100, 20),
        }
    }

    /// Whether it makes snapshots.
    #[must_use]
    pub const fn makes(self) -> bool {
        match self {
            Self::CopySnapshot | Self::CreateSnapshot | Self::CreateSnapshots => true,
            Self::DeleteSnapshot | Self::DescribeInstances | Self::DescribeSnapshots | Self::DescribeVolumes => false,
        }
    }

    /// Whether it changes something in the account.
    #[must_use]
    pub const fn changes(self) -> bool {
        match self {
            Self::CopySnapshot | Self::CreateSnapshot | Self::CreateSnapshots | Self::DeleteSnapshot => true,
            Self::DescribeInstances | Self::DescribeSnapshots | Self::DescribeVolumes => false,
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl<T> ByApi<T> {
    /// What `value` says for each call.
    #[must_use]
    pub fn of(value: impl FnMut(Api) -> T) -> Self {
        Self(Api::ALL.map(value))
    }

    /// Each call with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Api, &T)> {
        Api::ALL.into_iter().zip(&self.0)
    }

    /// Each call with its value, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Api, &mut T)> {
        Api::ALL.into_iter().zip(&mut self.0)
    }

    /// Each value made into another one.
    #[must_use]
    pub fn map<U>(&self, mut to: impl FnMut(Api, &T) -> U) -> ByApi<U> {
        ByApi::of(|api| to(api, &self[api]))
    }
}

impl ByApi<usize> {
    /// No bound on any call: for a simulated account and for tests.
    pub const UNBOUNDED: Self = Self([usize::MAX; Api::ALL.len()]);
}

impl<T> Index<Api> for ByApi<T> {
    type Output = T;

    fn index(&self, api: Api) -> &T {
        &self.0[api as usize]
    }
}

impl<T> IndexMut<Api> for ByApi<T> {
    fn index_mut(&mut self, api: Api) -> &mut T {
        &mut self.0[api as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_stands_at_the_place_of_its_number_under_ec2s_name() {
        let values = ByApi::of(Api::name);
        for api in Api::ALL {
            assert_eq!(values[api], api.name());
            assert_eq!(format!("{api:?}"), api.name());
            assert_eq!(serde_json::to_value(api).unwrap(), api.name());
        }
    }

    #[test]
    fn what_makes_snapshots_changes_something() {
        let of = |is: fn(Api) -> bool| Api::ALL.into_iter().filter(|&api| is(api)).map(Api::name).collect::<Vec<_>>();
        assert_eq!(of(Api::makes), ["CopySnapshot", "CreateSnapshot", "CreateSnapshots"]);
        assert_eq!(of(Api::changes), ["CopySnapshot", "CreateSnapshot", "CreateSnapshots", "DeleteSnapshot"]);
    }
}
