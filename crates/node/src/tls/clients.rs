//! TLS for clients: the node shows a certificate; a client may.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

use super::expiry::{Expiry, Reminder};
use super::files::{authorities, chain, complaint, key, mismatch, provider};
use super::trouble::explain;
use super::{CertificateReport, Duplex, Proof, Stream};
use crate::config::ClientTls;
use crate::reload::{FileContent, LOOK_INTERVAL, Reloaded};

/// How this node talks to clients on one address: with TLS, or without.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientSide(Option<Arc<Served>>);

#[derive(Debug)]
struct Served {
    files: Arc<Reloaded<Config>>,
    reminder: Reminder,
}

struct Config {
    server: Arc<ServerConfig>,
    expiry: Expiry,
}

impl ClientSide {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    ///
    /// Which file, and what is wrong with it.
    pub fn open(ClientTls { certificate, key, client_ca }: &ClientTls) -> Result<Self, String> {
        let mut paths: Vec<PathBuf> = vec![certificate.clone(), key.clone()];
        paths.extend(client_ca.clone());
        let files = Reloaded::open("certificates for clients", paths, Config::read)?;
        let reminder = Reminder::default();
        reminder.remind(&files.present().expiry);
        Ok(Self(Some(Arc::new(Served { files, reminder }))))
    }

    /// Whether there is a certificate to show.
    pub fn is_private(&self) -> bool {
        self.0.is_some()
    }

    /// Makes a client's connection a private one, if it is to be one; and what the client has proven.
    ///
    /// # Errors
    ///
    /// Why there is no TLS, in words.
    pub async fn answer(&self, stream: impl Duplex + 'static) -> Result<(Stream, Proof), String> {
        let Some(served) = &self.0 else { return Ok((Box::new(stream), Proof::Plain)) };
        let acceptor = TlsAcceptor::from(Arc::clone(&served.files.present().server));
        let stream = acceptor.accept(stream).await.map_err(|error| explain(&error))?;
        let proof = Proof::of(stream.get_ref().1.peer_certificates());
        Ok((Box::new(stream), proof))
    }

    pub fn report(&self) -> Option<CertificateReport> {
        self.0.as_ref().map(|served| served.files.present().expiry.report())
    }

    /// Looks at the files again and again, and tells in time when the certificate expires.
    pub async fn watch(self) {
        let Some(served) = self.0 else { return };
        let remind = async {
            loop {
                tokio::time::sleep(LOOK_INTERVAL).await;
                served.reminder.remind(&served.files.present().expiry);
            }
        };
        tokio::join!(Arc::clone(&served.files).watch(), remind);
    }
}

impl Config {
    fn read(files: &[FileContent]) -> Result<Self, String> {
        let [certificate, own_key, client_ca @ ..] = files else {
            return Err("two files are needed".to_owned());
        };
        let unusable = |error: rustls::Error| mismatch(certificate, own_key, &error);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match client_ca {
            [] => builder.with_no_client_auth(),
            [ca, ..] => {
                let verifier = WebPkiClientVerifier::builder_with_provider(authorities(ca)?, provider())
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| complaint(ca, &error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut server = builder.with_single_cert(chain(certificate)?, key(own_key)?).map_err(unusable)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A session that is taken up again would not be asked again whether its certificate has expired.
        server.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let expiry = Expiry::read(certificate, "clients")?;
        Ok(Self { server: Arc::new(server), expiry })
    }
}
