//! Certificates as `cartwheel cert` makes them, and the smallest client that uses them.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::cluster::{Node, cartwheel};
use crate::http::{self, Reply};

/// An authority, and the directory that it is in.
pub struct Authority(PathBuf);

impl Authority {
    pub fn new(dir: &Path) -> Self {
        cert(&["authority".as_ref(), dir.as_os_str()]);
        Self(dir.to_owned())
    }

    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// A node's certificate, in the node's directory.
    pub fn certify(&self, name: &str, dir: &Path) {
        let hosts = ["--host".as_ref(), "127.0.0.1".as_ref()];
        let [ca, dir] = [self.0.as_os_str(), dir.as_os_str()];
        cert(
            &[&["node".as_ref(), name.as_ref(), "--ca".as_ref(), ca, "-o".as_ref(), dir], &hosts[..]]
                .concat(),
        );
    }

    /// A user's certificate, beside the authority's.
    pub fn certify_user(&self, name: &str) -> Identity {
        let ca = self.0.as_os_str();
        cert(&["client".as_ref(), name.as_ref(), "--ca".as_ref(), ca, "-o".as_ref(), ca]);
        Identity(self.0.join(name))
    }

    /// A node's certificate whose time is over: nothing that `cartwheel cert` would make.
    pub fn certify_expired(&self, name: &str, dir: &Path) {
        let key = KeyPair::from_pem(&std::fs::read_to_string(self.0.join("ca.key")).expect("a key"));
        let ca = std::fs::read_to_string(self.ca()).expect("a certificate");
        let issuer = Issuer::from_ca_cert_pem(&ca, key.expect("a key")).expect("an authority");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let day = Duration::from_secs(24 * 3_600);
        params.not_before = (SystemTime::now() - 2 * day).into();
        params.not_after = (SystemTime::now() - day).into();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        std::fs::write(dir.join(format!("{name}.pem")), certificate.pem()).expect("written");
        std::fs::write(dir.join(format!("{name}.key")), key.serialize_pem()).expect("written");
    }
}

fn cert(words: &[&std::ffi::OsStr]) {
    let done = cartwheel().arg("cert").args(words).output().expect("the binary");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// What a node named `name` needs beside its configuration to speak TLS with its peers, where `shown` is what it shows.
pub fn tls_of(authority: &Authority, shown: &str) -> String {
    let ca = authority.ca();
    format!("[tls]\nca = \"{}\"\ncertificate = \"{shown}.pem\"\nkey = \"{shown}.key\"\n", ca.display())
}

/// The same for its clients.
pub fn client_tls_of(authority: &Authority, node: &Node) -> String {
    let (ca, name) = (authority.ca(), &node.name);
    format!(
        "[client_tls]\nclient_ca = \"{}\"\ncertificate = \"{name}.pem\"\nkey = \"{name}.key\"\n",
        ca.display()
    )
}

/// A certificate and its key, without their endings.
pub struct Identity(PathBuf);

/// A client of nodes whose certificates are of one authority.
#[derive(Clone)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    pub fn new(authority: &Authority, identity: Option<&Identity>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority.ca()).expect("PEM")).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity(path)) => {
                let chain = CertificateDer::pem_file_iter(path.with_extension("pem")).expect("PEM");
                let key = PrivateKeyDer::from_pem_file(path.with_extension("key")).expect("PEM");
                let chain = chain.collect::<Result<Vec<_>, _>>().expect("PEM");
                builder.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        Self(Arc::new(config))
    }

    /// One request, as `credentials` (`user:password`), if any.
    pub fn send(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        credentials: Option<&str>,
        body: &str,
    ) -> io::Result<Reply> {
        let name = ServerName::from(to.ip());
        let connection = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, http::connect(to)?);
        let authorization = credentials.map(|credentials| {
            use base64::Engine;
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
        });
        let mut headers = vec![("Content-Type", "text/plain")];
        headers.extend(authorization.as_deref().map(|it| ("Authorization", it)));
        http::exchange(&mut stream, &to.to_string(), method, path, &headers, body)
    }

    /// TLS on a connection that is there.
    pub fn over(
        &self,
        stream: std::net::TcpStream,
        to: std::net::IpAddr,
    ) -> impl io::Read + io::Write + Send + use<> {
        let connection =
            ClientConnection::new(Arc::clone(&self.0), ServerName::from(to)).expect("a connection");
        StreamOwned::new(connection, stream)
    }

    /// How far a connection to `to` comes: a byte of what the other side says after the handshake.
    pub fn knock(&self, to: SocketAddr, name: &str) -> io::Result<u8> {
        use std::io::{Read, Write};
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, http::connect(to)?);
        stream.write_all(b"?")?;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}
