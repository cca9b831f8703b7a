//! Users who prove who they are, over TLS.

use std::path::{Path, PathBuf};

use cartwheel_client::testing::{ClientTls, TestCluster};
use cartwheel_client::{Client, Error, Tls};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

const USERS: &str = r#"
enabled = true
[[user]]
name = "alice"
password = "HASH"
[[user]]
name = "bob"
[[source]]
users = ["all"]
cidr = "127.0.0.0/8"
method = "password"
[[source]]
users = ["bob"]
cidr = "127.0.0.0/8"
method = "certificate"
[[grant]]
to = ["alice", "bob"]
permissions = ["riak_kv.get"]
[[grant]]
to = ["alice", "bob"]
permissions = ["riak_kv.put"]
type = "default"
bucket = "carts"
"#;

/// Certificates of an authority of the test's own.
struct Files(PathBuf);

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(dir: &Path) -> Self {
        let files = Self(dir.to_owned());
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let ca = params.self_signed(&key).expect("signed").pem();
        let issuer = Issuer::from_ca_cert_pem(&ca, key).expect("an authority");
        std::fs::write(files.path("ca.pem"), ca).expect("written");
        let issue = |name: &str, hosts: &[&str], usage| {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            let mut params = CertificateParams::new(hosts).expect("names");
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages = vec![usage];
            let key = KeyPair::generate().expect("a key");
            let certificate = params.signed_by(&key, &issuer).expect("signed");
            std::fs::write(files.path(&format!("{name}.pem")), certificate.pem()).expect("written");
            std::fs::write(files.path(&format!("{name}.key")), key.serialize_pem()).expect("written");
        };
        issue("node", &["127.0.0.1", "n1"], ExtendedKeyUsagePurpose::ServerAuth);
        issue("bob", &[], ExtendedKeyUsagePurpose::ClientAuth);
        let hash = cartwheel_client::testing::hash_password("milk");
        std::fs::write(files.path("security.toml"), USERS.replace("HASH", &hash)).expect("written");
        files
    }

    fn tls(&self) -> Tls {
        Tls::with_ca_file(self.path("ca.pem")).expect("an authority")
    }
}

#[tokio::test]
async fn users_come_in_with_a_password_or_a_certificate_and_nobody_else_does() {
    let dir = tempfile::tempdir().expect("a directory");
    let files = Files::write(dir.path());
    let node_tls = ClientTls {
        certificate: files.path("node.pem"),
        key: files.path("node.key"),
        client_ca: Some(files.path("ca.pem")),
    };
    let alice = Client::builder().tls(files.tls()).user("alice", "milk");
    let cluster = TestCluster::builder(2).client(alice).security(files.path("security.toml"), node_tls);
    let cluster = cluster.start().await.expect("a cluster");
    let nodes = cluster.addresses().iter().map(ToString::to_string).collect::<Vec<_>>();
    let carts = |client: &Client| client.bucket("carts");
    carts(&cluster.client()).put("k", "milk").await.expect("she may");

    let denied = cluster.client().bucket("others").put("k", "v").await.expect_err("she may not");
    assert!(matches!(denied, Error::Denied(_)), "{denied}");

    let bobs = files.tls().with_certificate_files(files.path("bob.pem"), files.path("bob.key"));
    let bob = Client::builder().tls(bobs.expect("files")).user("bob", "");
    let bob = bob.connect(nodes.clone()).await.expect("his certificate is proof");
    assert!(carts(&bob).get("k").await.expect("he may").is_found());

    let refused = [
        Client::builder().tls(files.tls()).user("alice", "bread"),
        Client::builder().tls(files.tls()).user("bob", ""),
    ];
    for builder in refused {
        let refused = builder.connect(nodes.clone()).await.expect_err("nobody knows them");
        assert!(matches!(refused, Error::NotLetIn { .. }), "{refused}");
    }
    let plain = Client::connect(nodes.clone()).await.expect_err("TLS comes first");
    assert!(matches!(plain, Error::Denied(_)), "{plain}");

    let other = tempfile::tempdir().expect("a directory");
    let strangers = Client::builder().tls(Files::write(other.path()).tls()).user("alice", "milk");
    let refused = strangers.connect(nodes).await.expect_err("not their node");
    assert!(matches!(&refused, Error::NotLetIn { why, .. } if why.contains("TLS")), "{refused}");
}
