//! Tables that are asked and never walked through: the order of a hash map cannot reach a plan.
//!
//! A look-up costs the same whatever the size of the table, and the hash is the same in every run.

use rustc_hash::FxBuildHasher;
use std::hash::Hash;

#[allow(clippy::disallowed_types, reason = "nothing here iterates")]
type Table<K, V> = std::collections::HashMap<K, V, FxBuildHasher>;

/// Values by key.
#[derive(Debug, Clone)]
pub(crate) struct Lookup<K, V>(Table<K, V>);

/// Keys that are there or not.
#[derive(Debug, Clone)]
pub(crate) struct LookupSet<K>(Lookup<K, ()>);

impl<K: Eq + Hash, V> Lookup<K, V> {
    /// An empty table that takes so many keys without growing.
    pub(crate) fn with_room_for(count: usize) -> Self {
        Self(Table::with_capacity_and_hasher(count, FxBuildHasher))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of the key, which is `value` when it had none.
    pub(crate) fn get_or_insert(&mut self, key: K, value: V) -> &mut V {
        self.0.entry(key).or_insert(value)
    }
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(Table::default())
    }
}

impl<K: Eq + Hash> LookupSet<K> {
    /// An empty set that takes so many keys without growing.
    pub(crate) fn with_room_for(count: usize) -> Self {
        Self(Lookup::with_room_for(count))
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.0.get(key).is_some()
    }

    /// Adds a key, and says whether it was new.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        self.0.0.insert(key, ()).is_none()
    }

    pub(crate) fn extend(&mut self, keys: impl IntoIterator<Item = K>) {
        for key in keys {
            self.insert(key);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<K> Default for LookupSet<K> {
    fn default() -> Self {
        Self(Lookup::default())
    }
}

impl<K: Eq + Hash> FromIterator<K> for LookupSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let keys = keys.into_iter();
        let mut set = Self::with_room_for(keys.size_hint().0);
        set.extend(keys);
        set
    }
}
