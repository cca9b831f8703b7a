//! Two nodes and their certificates, over a real connection.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{PeerSide, Proof};
use crate::config::PeerTls;

/// An authority, with a directory to put certificates into.
struct Authority {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        std::fs::write(dir.path().join("ca.pem"), certificate.pem()).expect("written");
        Self { dir, issuer: Issuer::new(params, key) }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// A certificate for `name`, good until `days` from now.
    fn certify(&self, name: &str, days: i64) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let day = Duration::from_secs(24 * 3_600);
        let now = SystemTime::now();
        params.not_before = (now - 400 * day).into();
        let days_abs = u32::try_from(days.unsigned_abs()).expect("few") * day;
        params.not_after = if days < 0 { now - days_abs } else { now + days_abs }.into();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).expect("written");
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).expect("written");
    }

    /// The node `name`, which believes in `ca`.
    fn node(&self, name: &str, ca: &Path) -> PeerSide {
        let [certificate, key] = ["pem", "key"].map(|end| self.path(&format!("{name}.{end}")));
        PeerSide::open(Some(&PeerTls { ca: ca.to_owned(), certificate, key })).expect("good files")
    }
}

/// `caller` calls `called` by the name of n2: what each makes of it. The caller is only sure once it has been answered.
async fn meet(caller: &PeerSide, called: &PeerSide) -> (Result<u8, String>, Result<Proof, String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let here = async {
        let stream = TcpStream::connect(address).await.expect("connected");
        let mut stream = caller.call(stream, "n2").await.map_err(|error| error.to_string())?;
        stream.write_all(b"?").await.map_err(|error| super::trouble::explain(&error))?;
        stream.flush().await.map_err(|error| super::trouble::explain(&error))?;
        stream.read_u8().await.map_err(|error| super::trouble::explain(&error))
    };
    let there = async {
        let (stream, _) = listener.accept().await.expect("a caller");
        let (mut stream, proof) = called.answer(stream).await.map_err(|error| error.to_string())?;
        stream.read_u8().await.map_err(|error| error.to_string())?;
        stream.write_all(b"!").await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())?;
        Ok(proof)
    };
    tokio::join!(here, there)
}

fn says(result: &Result<impl std::fmt::Debug, String>, what: &str) {
    let why = result.as_ref().expect_err("refused");
    assert!(why.contains(what), "{why:?} should say {what:?}");
}

#[tokio::test]
async fn nodes_of_one_authority_meet_and_prove_their_names() {
    let authority = Authority::new();
    for name in ["n1", "n2"] {
        authority.certify(name, 1);
    }
    let ca = authority.path("ca.pem");
    let (here, there) = meet(&authority.node("n1", &ca), &authority.node("n2", &ca)).await;
    assert_eq!(here, Ok(b'!'));
    let proof = there.expect("met");
    assert!(proof.vouches_for("n1") && !proof.vouches_for("n2"), "{proof:?}");
    assert_eq!(proof.common_name(), Some("n1"));
}

#[tokio::test]
async fn both_sides_say_why_there_is_no_connection() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for name in ["n1", "n2", "n3"] {
        ours.certify(name, 1);
        theirs.certify(name, 1);
    }
    ours.certify("old", -1);
    let ca = ours.path("ca.pem");
    let (n1, n2) = (ours.node("n1", &ca), ours.node("n2", &ca));
    let plain = PeerSide::default();

    let (here, there) = meet(&n1, &theirs.node("n2", &ca)).await;
    says(&here, "of an authority that is not trusted here");
    says(&there, "does not trust the authority of our certificate");
    let (here, there) = meet(&theirs.node("n1", &ca), &n2).await;
    says(&here, "does not trust the authority of our certificate");
    says(&there, "of an authority that is not trusted here");
    let (here, there) = meet(&ours.node("old", &ca), &n2).await;
    says(&here, "our certificate has expired");
    says(&there, "the other side's certificate has expired");
    let (here, there) = meet(&n1, &ours.node("n3", &ca)).await;
    says(&here, "n2");
    says(&there, "does not accept our certificate");
    let (here, there) = meet(&plain, &n2).await;
    assert_eq!(here, Ok(0x15), "an alert, which the handshake knows");
    says(&there, "speaks no TLS");
    let (here, _) = meet(&n1, &plain).await;
    says(&here, "speaks no TLS");
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_refused_before_it_says_a_word() {
    let authority = Authority::new();
    authority.certify("n2", 1);
    let ca = authority.path("ca.pem");
    let n2 = authority.node("n2", &ca);
    let nobody = super::CallerTls::new(&ca, None).expect("an authority");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let here = async {
        let stream = TcpStream::connect(address).await.expect("connected");
        let mut stream = nobody.connect("n2", stream).await.expect("as far as the caller knows");
        stream.read_u8().await.map_err(|error| super::what_happened(&error))
    };
    let there = async {
        let (stream, _) = listener.accept().await.expect("a caller");
        n2.answer(stream).await.map(|(_, proof)| proof).map_err(|error| error.to_string())
    };
    let (here, there) = tokio::join!(here, there);
    says(&there, "the other side has shown no certificate");
    says(&here, "it wants a certificate");
}

#[tokio::test]
async fn new_files_are_used_for_new_connections_and_broken_ones_are_not() {
    let authority = Authority::new();
    let ca = authority.path("ca.pem");
    authority.certify("n1", 1);
    authority.certify("n2", -1);
    let (n1, n2) = (authority.node("n1", &ca), authority.node("n2", &ca));
    says(&meet(&n1, &n2).await.0, "the other side's certificate has expired");
    assert!(n2.report().expect("TLS").days_left < 0);

    authority.certify("n2", 400);
    n2.look();
    assert_eq!(meet(&n1, &n2).await.0, Ok(b'!'));
    assert!((399..=400).contains(&n2.report().expect("TLS").days_left));

    std::fs::copy(authority.path("n1.key"), authority.path("n2.key")).expect("copied");
    n2.look();
    assert_eq!(meet(&n1, &n2).await.0, Ok(b'!'), "another's key is not used");
}

#[test]
fn a_set_of_files_that_cannot_be_used_is_refused_with_the_file_and_the_reason() {
    let authority = Authority::new();
    authority.certify("n1", 1);
    authority.certify("n2", 1);
    std::fs::write(authority.path("empty"), "").expect("written");
    let refusal = |ca: &str, certificate: &str, key: &str| {
        let [ca, certificate, key] = [ca, certificate, key].map(|file| authority.path(file));
        PeerSide::open(Some(&PeerTls { ca, certificate, key })).map(drop)
    };
    says(&refusal("nowhere", "n1.pem", "n1.key"), "nowhere: cannot be read");
    says(&refusal("empty", "n1.pem", "n1.key"), "empty: holds no certificate in PEM");
    says(&refusal("ca.pem", "n1.key", "n1.key"), "n1.key: holds no certificate in PEM");
    says(&refusal("ca.pem", "n1.pem", "n1.pem"), "n1.pem: holds no private key in PEM");
    says(&refusal("ca.pem", "n1.pem", "n2.key"), "n2.key: is not the key of the certificate in");
    assert_eq!(refusal("ca.pem", "n1.pem", "n1.key"), Ok(()));
}
