//! Which certificates a node shows, and whose it believes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigFile;
use crate::tls::is_provable;

/// TLS between peers. Paths are relative to the configuration file; all files are PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerTls {
    /// The authority of all nodes' certificates.
    pub ca: PathBuf,
    /// This node's certificate, with the node's name among its DNS names.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// TLS for clients. Paths are relative to the configuration file; all files are PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// The certificate that clients are shown.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority of clients' certificates; without it they are not asked for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

impl ConfigFile {
    /// With all paths that are relative to `dir`, the file's directory, as they are seen from here.
    pub(super) fn resolve(mut self, dir: &Path) -> Self {
        self.paths().for_each(|path| *path = dir.join(&*path));
        self
    }

    /// The inverse: paths within `dir` as a file in it names them.
    #[must_use]
    pub fn relative_to(mut self, dir: &Path) -> Self {
        for path in self.paths() {
            if let Ok(relative) = path.strip_prefix(dir) {
                *path = relative.to_owned();
            }
        }
        self
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let peers = self.tls.iter_mut().flat_map(|tls| [&mut tls.ca, &mut tls.certificate, &mut tls.key]);
        let clients = self
            .client_tls
            .iter_mut()
            .flat_map(|tls| [&mut tls.certificate, &mut tls.key].into_iter().chain(&mut tls.client_ca));
        [&mut self.data, &mut self.backups].into_iter().chain(peers).chain(clients).chain(&mut self.security)
    }

    /// A name that no certificate can be for could never be proven.
    pub(super) fn check_tls(&self) -> Result<(), String> {
        match (&self.https, &self.client_tls) {
            (Some(_), None) => {
                return Err("https: needs a [client_tls] with certificate and key".to_owned());
            }
            (None, Some(_)) if self.pb.is_none() => {
                return Err("client_tls: nobody is answered with it; say where with https or pb".to_owned());
            }
            _ => {}
        }
        if self.tls.is_none() {
            return Ok(());
        }
        let named = self.members.iter().map(|member| ("member.name", &member.name));
        for (key, name) in named.chain([("node", &self.node)]) {
            if !is_provable(name) {
                return Err(format!(
                    "{key}: no certificate can be for {name:?}; with [tls] allowed are DNS names: letters, digits, - and ."
                ));
            }
        }
        Ok(())
    }
}
