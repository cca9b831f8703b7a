//! Certificates for a cluster on this machine: an authority in `tls/`, and in each node's directory what it shows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cartwheel_node::{ClientTls, ConfigFile, PeerTls};

use super::layout::Node;
use crate::cert::{self, Authority};

/// From a node's HTTP port to its HTTPS port; the one between is its peers'.
const PORT_OFFSET: u16 = 2;

/// Whether the cluster in `dir` has begun with TLS.
pub fn is_there(dir: &Path) -> bool {
    dir.join("tls/ca.pem").exists()
}

/// Makes what is missing of `node`'s certificates, and gives it an address to show them at.
pub fn certify(dir: &Path, node: &mut Node) -> Result<(), String> {
    let port = node.http.port().checked_add(PORT_OFFSET);
    let port = port.ok_or_else(|| format!("--http-port: too high for TLS at {}", node.name))?;
    node.https = Some(SocketAddr::new(node.http.ip(), port));
    if node.dir().join(format!("{}.pem", node.name)).exists() {
        return Ok(());
    }
    let authority = dir.join("tls");
    let authority = if is_there(dir) { Authority::open(&authority)? } else { cert::make_local(&authority)? };
    cert::issue_local(&authority, &node.name, node.dir()).map(drop)
}

/// The configuration of a node that has been certified.
pub fn configured(config: ConfigFile, node: &Node) -> ConfigFile {
    let ca = PathBuf::from("../tls/ca.pem");
    let [certificate, key] = ["pem", "key"].map(|end| PathBuf::from(format!("{}.{end}", node.name)));
    let client_tls =
        ClientTls { certificate: certificate.clone(), key: key.clone(), client_ca: Some(ca.clone()) };
    ConfigFile {
        https: node.https,
        tls: Some(PeerTls { ca, certificate, key }),
        client_tls: Some(client_tls),
        ..config
    }
}
