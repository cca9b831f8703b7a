//! An authority, and what it signs.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};

use super::files::{read, write_pair};

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Clocks of other machines may be behind.
const BEFORE: Duration = Duration::from_secs(3_600);
/// What the authority's files are called.
const NAME: &str = "ca";

/// Whom a certificate is for.
pub enum Subject {
    Node { name: String, hosts: Vec<String> },
    Client { name: String },
}

/// An authority's certificate and key.
pub struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// Makes one in `dir`. Its files.
    pub fn make(dir: &Path, days: u32) -> Result<Vec<PathBuf>, String> {
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let mut params = CertificateParams::default();
        // Two authorities of one name could be taken for each other.
        let id: String =
            key.public_key_raw().iter().rev().take(4).map(|byte| format!("{byte:02x}")).collect();
        params.distinguished_name = called(&format!("Cartwheel authority {id}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        good_for(&mut params, days);
        let certificate = params.self_signed(&key).map_err(|error| error.to_string())?;
        write_pair(dir, NAME, &certificate.pem(), &key.serialize_pem())
    }

    /// The one in `dir`.
    pub fn open(dir: &Path) -> Result<Self, String> {
        let [certificate, key] = ["pem", "key"].map(|end| dir.join(format!("{NAME}.{end}")));
        let pair = KeyPair::from_pem(&read(&key)?)
            .map_err(|error| format!("{}: holds no private key: {error}", key.display()))?;
        let issuer = Issuer::from_ca_cert_pem(&read(&certificate)?, pair)
            .map_err(|error| format!("{}: holds no authority: {error}", certificate.display()))?;
        Ok(Self(issuer))
    }

    /// Signs a new certificate with a new key, and puts both into `dir`.
    pub fn issue(&self, subject: &Subject, days: u32, dir: &Path) -> Result<Vec<PathBuf>, String> {
        let name = subject.name();
        if name.is_empty() || name == NAME || name.contains(['/', '\\', '\0']) {
            return Err(format!("{name:?} cannot be the name of a file beside {NAME}.pem"));
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = called(name);
        params.subject_alt_names = alternatives(subject)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = subject.uses();
        params.use_authority_key_identifier_extension = true;
        good_for(&mut params, days);
        let key = KeyPair::generate().map_err(|error| error.to_string())?;
        let certificate = params.signed_by(&key, &self.0).map_err(|error| error.to_string())?;
        write_pair(dir, name, &certificate.pem(), &key.serialize_pem())
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn good_for(params: &mut CertificateParams, days: u32) {
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - BEFORE).into(), (now + days * DAY).into());
}

fn alternatives(subject: &Subject) -> Result<Vec<SanType>, String> {
    let Subject::Node { name, hosts } = subject else { return Ok(Vec::new()) };
    if !cartwheel_node::is_provable(name) {
        return Err(format!(
            "no certificate can be for the node {name:?}; allowed are letters, digits, - and ."
        ));
    }
    let alternative = |host: &String| match host.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) if cartwheel_node::is_provable(host) => dns(host),
        Err(_) => Err(format!("--host {host:?}: neither a name nor an address")),
    };
    let mut alternatives = vec![dns(name)?];
    for host in hosts.iter().filter(|host| *host != name) {
        alternatives.push(alternative(host)?);
    }
    Ok(alternatives)
}

fn dns(name: &str) -> Result<SanType, String> {
    name.try_into().map(SanType::DnsName).map_err(|error: rcgen::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_for_their_owner_and_nothing_is_written_over() {
        let dir = tempfile::tempdir().expect("a directory");
        Authority::make(dir.path(), 1).expect("made");
        let authority = Authority::open(dir.path()).expect("there");
        let node = Subject::Node { name: "n1".to_owned(), hosts: vec!["127.0.0.1".to_owned()] };
        let files = authority.issue(&node, 1, dir.path()).expect("issued");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&files[1]) & 0o077, 0);
        assert_eq!(mode(&dir.path().join("ca.key")) & 0o077, 0);

        let before = read(&files[1]).expect("there");
        let why = authority.issue(&node, 1, dir.path()).expect_err("not twice");
        assert!(why.ends_with("n1.pem: is there already; it is not written over"), "{why}");
        assert_eq!(read(&files[1]).expect("there"), before);
        assert!(Authority::make(dir.path(), 1).is_err());
    }

    #[test]
    fn a_name_that_no_certificate_can_be_for_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        Authority::make(dir.path(), 1).expect("made");
        let authority = Authority::open(dir.path()).expect("there");
        for name in ["", "ca", "../n1", "n 1", "riak@127.0.0.1"] {
            let node = Subject::Node { name: name.to_owned(), hosts: Vec::new() };
            assert!(authority.issue(&node, 1, dir.path()).is_err(), "{name:?}");
        }
        let node = Subject::Node { name: "n1".to_owned(), hosts: vec!["no host".to_owned()] };
        assert!(authority.issue(&node, 1, dir.path()).is_err());
    }
}
