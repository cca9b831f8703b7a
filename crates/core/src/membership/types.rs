//! Bucket types: names for buckets that are alike, with properties of their own. Pure.
//!
//! A type is *created* by an operator, which gives it properties, and *activated*, which is for ever: only then do
//! clients find it. Both travel with the cluster's state. What holds for a bucket is what the node is configured with,
//! then what its type says, then what was set for the bucket itself. The type `default` is there from the beginning, has
//! no properties of its own, and cannot be changed.
//!
//! Two operators who create one type on two sides of a partition do not mix what they said: one of the two is in force
//! everywhere once the sides have met, whole. That a type was activated anywhere is never forgotten.

use alloc::vec::Vec;
use core::fmt;

use super::cluster::Cluster;
use super::others::OTHERS_BYTES_OF_ALL_MAX;
use super::props::{Bucket, PROPS_NAME_BYTES_MAX, Props, PropsError};
use super::register::Register;
use crate::id::NodeId;
use crate::key::Key;

/// Most bucket types of a cluster. Sides of a partition create theirs each for themselves, and then all stay.
pub const TYPES_MAX: usize = 256;

/// What the values of a bucket type's keys are, where they are not plain data. The names are Riak's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datatype {
    /// A number that is counted up and down.
    Counter,
    /// A set that elements are added to and removed from.
    Set,
    /// A map of named values, each of a data type.
    Map,
    /// A set that only grows.
    Gset,
    /// An estimate of how many different elements were added.
    Hll,
}

impl Datatype {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Counter, Self::Set, Self::Map, Self::Gset, Self::Hll];

    /// As properties spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Set => "set",
            Self::Map => "map",
            Self::Gset => "gset",
            Self::Hll => "hll",
        }
    }
}

/// A bucket type that was created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BucketType {
    /// Whether clients find it. Never becomes untrue.
    pub is_active: bool,
    /// What operators have set.
    pub props: Register<Props>,
}

impl BucketType {
    fn merge(&mut self, other: &Self) {
        self.is_active |= other.is_active;
        self.props.merge(&other.props);
    }
}

/// Why a bucket type cannot be created, activated or changed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeError {
    /// The type `default` is there from the beginning, and stays as it is.
    Default,
    /// It was never created.
    Undefined,
    /// It was activated already, and then it is changed, not created.
    AlreadyActive,
    /// It was not activated, or never created.
    NotActive,
    /// No name, or a longer one than is kept.
    Name {
        /// How long it is, in bytes.
        bytes: usize,
        /// [`PROPS_NAME_BYTES_MAX`].
        limit: usize,
    },
    /// There are as many as a cluster keeps.
    TooMany {
        /// [`TYPES_MAX`].
        limit: usize,
    },
    /// Properties that make no sense.
    Props(PropsError),
}

impl Cluster {
    /// Whether clients find a type of that name.
    pub fn has_type(&self, name: &[u8]) -> bool {
        name == Key::DEFAULT_TYPE || self.types.get(name).is_some_and(|found| found.is_active)
    }

    /// What was set for a type; nothing for one that was not created, and for `default`.
    pub fn props_of_type(&self, name: &[u8]) -> Option<&Props> {
        self.types.get(name).map(|found| &found.props.value)
    }

    /// What is set for `bucket`, its type's properties included.
    pub fn props_with_type(&self, bucket: &Bucket) -> Props {
        let own = self.props_of(bucket);
        match self.props_of_type(&bucket.bucket_type) {
            Some(of_type) => own.over(of_type),
            None => own,
        }
    }

    /// Creates a type; one that is not active yet is created anew.
    pub fn create_type(&mut self, by: NodeId, name: Vec<u8>, props: Props) -> Result<(), TypeError> {
        if name == Key::DEFAULT_TYPE {
            return Err(TypeError::Default);
        }
        if name.is_empty() || name.len() > PROPS_NAME_BYTES_MAX {
            return Err(TypeError::Name { bytes: name.len(), limit: PROPS_NAME_BYTES_MAX });
        }
        if self.has_type(&name) {
            return Err(TypeError::AlreadyActive);
        }
        let props = props.of_new_type()?;
        self.check_room(&Props::default(), &props)?;
        props.check(self.n)?;
        if self.types.len() >= TYPES_MAX && !self.types.contains_key(&name) {
            return Err(TypeError::TooMany { limit: TYPES_MAX });
        }
        let created = self.types.entry(name).or_default();
        if created.props.count == 0 || created.props.value != props {
            created.props.set(by, props);
        }
        Ok(())
    }

    /// Lets clients find a type. For ever.
    pub fn activate_type(&mut self, name: &[u8]) -> Result<(), TypeError> {
        if name == Key::DEFAULT_TYPE {
            return Err(TypeError::Default);
        }
        self.types.get_mut(name).ok_or(TypeError::Undefined)?.is_active = true;
        Ok(())
    }

    /// Sets `props` over what is set for an active type already.
    pub fn set_type_props(&mut self, by: NodeId, name: &[u8], props: Props) -> Result<(), TypeError> {
        if name == Key::DEFAULT_TYPE {
            return Err(TypeError::Default);
        }
        let active = self.types.get(name).filter(|found| found.is_active).ok_or(TypeError::NotActive)?;
        let before = active.props.value.clone();
        props.check_change(&before)?;
        let after = props.over(&before);
        after.check(self.n)?;
        if after == before {
            return Ok(());
        }
        self.check_room(&before, &after)?;
        if let Some(active) = self.types.get_mut(name) {
            active.props.set(by, after);
        }
        Ok(())
    }

    /// Refuses `after` in the place of `before`, if the cluster keeps no more of what means nothing to it.
    pub(super) fn check_room(&self, before: &Props, after: &Props) -> Result<(), PropsError> {
        let grows = after.others.bytes().saturating_sub(before.others.bytes());
        let of_buckets = self.props.values().map(|register| &register.value);
        let of_types = self.types.values().map(|found| &found.props.value);
        if grows > 0 {
            let all: usize = of_buckets.chain(of_types).map(|props| props.others.bytes()).sum();
            if all + grows > OTHERS_BYTES_OF_ALL_MAX {
                return Err(PropsError::Others {
                    what: "bytes in all buckets and types",
                    got: all + grows,
                    limit: OTHERS_BYTES_OF_ALL_MAX,
                });
            }
        }
        Ok(())
    }

    /// Joins the types that another node knows.
    pub(super) fn merge_types(&mut self, other: &Self) {
        for (name, theirs) in &other.types {
            match self.types.get_mut(name) {
                Some(ours) => ours.merge(theirs),
                None => _ = self.types.insert(name.clone(), theirs.clone()),
            }
        }
    }
}

impl From<PropsError> for TypeError {
    fn from(error: PropsError) -> Self {
        Self::Props(error)
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "the type default is there from the beginning, and stays as it is"),
            Self::Undefined => write!(f, "there is no such bucket type; create it first"),
            Self::AlreadyActive => write!(f, "the bucket type is active already; it can be updated"),
            Self::NotActive => write!(f, "there is no such active bucket type; create and activate it first"),
            Self::Name { bytes, limit } => {
                write!(f, "the name of the bucket type has {bytes} bytes; allowed are 1..={limit}")
            }
            Self::TooMany { limit } => write!(f, "there are {limit} bucket types; no more are allowed"),
            Self::Props(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TypeError {}

#[cfg(test)]
mod tests;
