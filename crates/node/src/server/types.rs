//! What the node knows of bucket types, and what holds for buckets.

use cartwheel_core::Key;
use cartwheel_core::membership::Props;
use cartwheel_core::version::Policy;
use cartwheel_riak::props::{Held, Owner, shown};

use super::Server;
use crate::types::TypeReport;

impl Server {
    /// What holds for `owner`; `None` if clients do not find its type.
    pub(super) fn held(&self, owner: &Owner) -> Option<Held> {
        self.node.status().cluster().has_type(owner.bucket_type()).then(|| self.held_anyway(owner))
    }

    /// All types, the default one first.
    pub(super) fn types(&self) -> Vec<TypeReport> {
        let status = self.node.status();
        let created = status.cluster().types.iter().map(|(name, found)| (name.as_slice(), found.is_active));
        let report = |(name, active): (&[u8], bool)| {
            let owner = Owner::Type(name.to_vec());
            let props = shown(&owner, &Held { is_active: active, ..self.held_anyway(&owner) });
            TypeReport { name: String::from_utf8_lossy(name).into_owned(), active, props }
        };
        std::iter::once((Key::DEFAULT_TYPE, true)).chain(created).map(report).collect()
    }

    fn held_anyway(&self, owner: &Owner) -> Held {
        let status = self.node.status();
        let cluster = status.cluster();
        let (props, rules) = match owner {
            Owner::Bucket(bucket) => (cluster.props_with_type(bucket), status.rules(bucket)),
            Owner::Type(name) => {
                let props = cluster.props_of_type(name).cloned();
                (props.unwrap_or_else(Props::default), status.rules_of_type(name))
            }
        };
        let riak_defaults = status.rules_of_type(Key::DEFAULT_TYPE).policy == Policy::OneValue;
        // Riak has one member answer for types. Here any does; they all name the same.
        let claimant = cluster.active().next().map(|node| self.peers.name(node)).unwrap_or_default();
        Held { props, rules, is_active: true, claimant, riak_defaults }
    }
}
