//! A hash map whose order nobody can see: for what is only ever looked up, which is most of what oracles remember.
//!
//! The hash has no key of its own, so that even the time it takes is the same in every run.

#[expect(clippy::disallowed_types, reason = "its order stays in here")]
type Map<K, V> = std::collections::HashMap<K, V, rustc_hash::FxBuildHasher>;

/// Values by key, in no order.
#[derive(Clone, Debug)]
pub struct Lookup<K, V>(Map<K, V>);

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<K: std::hash::Hash + Eq, V> Lookup<K, V> {
    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// The value of `key`, made by `value` where there is none.
    pub fn get_or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(value)
    }

    /// Sets the value of `key`; what was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Takes the value of `key` out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps what `keep` says; it is asked in no order, so what it says must rest on nothing but what it is given.
    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain(keep);
    }

    /// Changes every value, in no order: what is done to one must rest on nothing but that one.
    pub fn change_each(&mut self, change: impl FnMut(&mut V)) {
        self.0.values_mut().for_each(change);
    }
}
