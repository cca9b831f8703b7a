use std::path::{Path, PathBuf};

use cartwheel_core::id::StoreId;

use crate::error::OpenError;
use crate::state_file::StateFile;

/// Longest cluster or node name, in bytes.
const NAME_BYTES_MAX: usize = 255;

const COMMENT: &str = "Whose data this directory holds. Written by Cartwheel; an edited file is refused.";

/// Whose data a directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster's name.
    pub cluster: String,
    /// The node's name in it.
    pub node: String,
}

impl Identity {
    /// The identity file of the data directory `dir`.
    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join("identity")
    }

    /// Whose data `dir` holds, and which store it is; `None` if nothing says so.
    pub(crate) fn read(dir: &Path) -> Result<Option<(Self, StoreId)>, OpenError> {
        let Some(file) = StateFile::read(&Self::path(dir))? else { return Ok(None) };
        let identity = Self { cluster: file.text("cluster")?.into(), node: file.text("node")?.into() };
        Ok(Some((identity, StoreId(file.hex("store")?))))
    }

    pub(crate) fn write(&self, dir: &Path, store: StoreId) -> Result<(), OpenError> {
        let fields = [
            ("cluster", self.cluster.clone()),
            ("node", self.node.clone()),
            ("store", format!("{:016x}", store.0)),
        ];
        StateFile::write(&Self::path(dir), COMMENT, &fields)
    }

    /// Refuses names that one line of text cannot hold.
    pub(crate) fn validate(&self) -> Result<(), OpenError> {
        for (what, name) in [("cluster", &self.cluster), ("node", &self.node)] {
            let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
            if !fits || name.trim() != name || name.chars().any(char::is_control) {
                return Err(OpenError::Name { what, name: name.clone() });
            }
        }
        Ok(())
    }

    /// Refuses data, described at `path`, that is not of this identity.
    pub(crate) fn expect(&self, found: &Self, path: &Path) -> Result<(), OpenError> {
        let path = || path.to_owned();
        if found.cluster != self.cluster {
            let (expected, found) = (self.cluster.clone(), found.cluster.clone());
            return Err(OpenError::OtherCluster { path: path(), expected, found });
        }
        if found.node != self.node {
            let (expected, found) = (self.node.clone(), found.node.clone());
            return Err(OpenError::OtherNode { path: path(), expected, found });
        }
        Ok(())
    }
}
