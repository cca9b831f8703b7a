//! Which node of a cluster is asked, and as whom: whose certificates are believed, and what is shown.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cartwheel_node::CallerTls;

use super::client::Client;

/// How a person says so.
#[derive(clap::Args)]
#[group(id = "access")]
pub struct Args {
    /// The node to ask, any of the cluster.
    #[arg(
        long,
        global = true,
        env = "CARTWHEEL_NODE",
        default_value = "http://127.0.0.1:8098",
        value_name = "URL"
    )]
    node: Client,
    /// The authority of the nodes' certificates (PEM), for a node that is asked over https.
    #[arg(long, global = true, env = "CARTWHEEL_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The user to ask as; its password is taken from CARTWHEEL_PASSWORD.
    #[arg(long, global = true, env = "CARTWHEEL_USER", value_name = "NAME")]
    user: Option<String>,
    /// A user's certificate (PEM), to be shown.
    #[arg(long, global = true, requires = "key", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, global = true, requires = "certificate", value_name = "FILE")]
    key: Option<PathBuf>,
}

/// What is needed to be let in.
#[derive(Clone, Default)]
pub struct Access {
    pub tls: Option<CallerTls>,
    /// The `Authorization` header.
    pub credentials: Option<String>,
}

/// Passwords are not for logs.
impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}

impl Args {
    /// The node, asked as the person says.
    ///
    /// # Errors
    ///
    /// One line on what cannot be.
    pub fn client(&self) -> Result<Client, String> {
        let (node, access) = (self.node.clone(), self.access()?);
        // A password on an open line would be everybody's.
        if access.credentials.is_some() && !node.is_private() {
            return Err(format!("{node}: passwords are only sent over https; name the node's https address"));
        }
        Ok(node.with(access))
    }

    fn access(&self) -> Result<Access, String> {
        let identity = self.certificate.as_deref().zip(self.key.as_deref());
        let tls = self.ca.as_deref().map(|ca| CallerTls::new(ca, identity)).transpose()?;
        let credentials = self.user.as_ref().map(|user| {
            let password = std::env::var("CARTWHEEL_PASSWORD").unwrap_or_default();
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        Ok(Access { tls, credentials })
    }
}
