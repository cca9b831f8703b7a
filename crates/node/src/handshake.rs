//! The first words on a peer connection: who calls, for whom, from which cluster, in which versions of the protocol.
//!
//! The caller sends [`MAGIC`] and a frame with a [`Hello`]; the called side answers with [`MAGIC`] and a frame with an
//! [`Answer`], and closes if it refuses. After a welcome only the caller speaks, in frames of one message each.

use std::io;

use bytes::BytesMut;
use cartwheel_wire::limits::NAME_BYTES_MAX;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::frame::{self, FrameError, FrameReader};
use crate::tls::{PeerSide, Proof};

/// What no HTTP client and no other protocol begins with.
const MAGIC: [u8; 8] = *b"\x89cwheel\n";
/// What TLS begins with: a handshake, or an alert that says what we have begun is none.
const TLS_RECORDS: [u8; 2] = [0x16, 0x15];
/// Versions of the peer protocol that this software speaks.
const VERSIONS: std::ops::RangeInclusive<u32> = 1..=1;
/// A stranger gets no more than this, in bytes.
pub(crate) const HELLO_BYTES_MAX: usize = 4096;

/// What the caller says.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Hello {
    #[prost(uint32, tag = "1")]
    version_min: u32,
    #[prost(uint32, tag = "2")]
    version_max: u32,
    /// The cluster that the caller belongs to.
    #[prost(string, tag = "3")]
    cluster: String,
    /// The caller.
    #[prost(string, tag = "4")]
    node: String,
    /// Whom the caller believes to have called.
    #[prost(string, tag = "5")]
    called: String,
    /// What the caller takes to be fixed for ever in this cluster.
    #[prost(string, tag = "6")]
    shape: String,
    /// Where the caller is reached: one that is not known yet could not be answered otherwise.
    #[prost(string, tag = "7")]
    address: String,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub name: String,
    /// Where it is reached, in its words.
    pub address: String,
}

/// What the called side says: the version to speak, or why not.
#[derive(Clone, PartialEq, Eq, Message)]
struct Answer {
    #[prost(uint32, optional, tag = "1")]
    version: Option<u32>,
    #[prost(string, tag = "2")]
    refusal: String,
}

/// Why there is no conversation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("closed before the handshake was complete")]
    Closed,
    #[error("speaks another protocol")]
    Stranger,
    #[error("speaks TLS; there is no [tls] in this node's configuration")]
    SpeaksTls,
    #[error("TLS: {0}")]
    Tls(String),
    #[error("handshake cannot be decoded: {0}")]
    Decode(#[from] prost::DecodeError),
    #[error("no handshake in time")]
    Late,
    #[error("nothing had come from it, and others needed the room")]
    InTheWay,
    #[error("too many unknown nodes are listened to; at most {max} are")]
    TooMany { max: usize },
    /// This side refuses the caller.
    #[error("refused: {0}")]
    Refused(String),
    /// The called side refuses us.
    #[error("refused by the other side: {0}")]
    RefusedBy(String),
    /// Not an error of the connection: another one is wanted, or none.
    #[error("given up: it was silent, moved, or has gone")]
    GivenUp,
    #[error("speaks peer protocol version {0}, which was not offered")]
    Version(u32),
}

impl HandshakeError {
    /// Whether nobody listened where the call went.
    pub fn is_refused_connection(&self) -> bool {
        matches!(self, Self::Frame(FrameError::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

/// Who a node is. Whom it listens to is not decided here: a newcomer must be heard to be let in.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub cluster: String,
    pub node: String,
    /// What is fixed for ever in this cluster, in words. Nodes that do not agree on it would look for keys in the
    /// wrong places, so they do not talk.
    pub shape: String,
    /// Where this node is reached.
    pub address: String,
    /// How it proves its name, and has others prove theirs.
    pub tls: PeerSide,
}

impl Credentials {
    /// Calls `called`.
    pub async fn call<R, W>(
        &self,
        called: &str,
        reader: &mut FrameReader<R>,
        writer: &mut W,
    ) -> Result<(), HandshakeError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let hello = Hello {
            version_min: *VERSIONS.start(),
            version_max: *VERSIONS.end(),
            cluster: self.cluster.clone(),
            node: self.node.clone(),
            called: called.to_owned(),
            shape: self.shape.clone(),
            address: self.address.clone(),
        };
        send(writer, &hello).await?;
        let answer: Answer = receive(reader).await?;
        match answer.version {
            Some(version) if VERSIONS.contains(&version) => Ok(()),
            Some(version) => Err(HandshakeError::Version(version)),
            None => Err(HandshakeError::RefusedBy(answer.refusal)),
        }
    }

    /// Answers a caller, who has proven what `proof` says; who it is.
    pub async fn answer<R, W>(
        &self,
        proof: &Proof,
        reader: &mut FrameReader<R>,
        writer: &mut W,
    ) -> Result<Caller, HandshakeError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let hello: Hello = receive(reader).await?;
        match self.admit(&hello, proof) {
            Ok(version) => {
                send(writer, &Answer { version: Some(version), refusal: String::new() }).await?;
                Ok(Caller { name: hello.node, address: hello.address })
            }
            Err(refusal) => {
                send(writer, &Answer { version: None, refusal: refusal.clone() }).await?;
                Err(HandshakeError::Refused(refusal))
            }
        }
    }

    /// The version to speak with this caller, or why there is none. The text is for the logs of both sides.
    fn admit(&self, hello: &Hello, proof: &Proof) -> Result<u32, String> {
        let Self { cluster, node, shape, .. } = self;
        if hello.cluster != *cluster {
            return Err(format!("cluster {:?} called cluster {cluster:?}", hello.cluster));
        }
        if hello.called != *node {
            return Err(format!("node {:?} was called here, but this is {node:?}", hello.called));
        }
        if hello.node == *node || hello.node.is_empty() || hello.node.len() > NAME_BYTES_MAX {
            return Err(format!("a node that calls itself {:?} called {node:?}", hello.node));
        }
        if !proof.vouches_for(&hello.node) {
            return Err(format!("a certificate that is not for {:?} called as {:?}", hello.node, hello.node));
        }
        if hello.shape != *shape {
            return Err(format!("a node with {} called one with {shape}", hello.shape));
        }
        let version = hello.version_max.min(*VERSIONS.end());
        if version < hello.version_min || !VERSIONS.contains(&version) {
            let (min, max) = (hello.version_min, hello.version_max);
            return Err(format!("peer protocol {min}..={max} is not within {VERSIONS:?}"));
        }
        Ok(version)
    }
}

async fn send<W: AsyncWrite + Unpin>(writer: &mut W, message: &impl Message) -> Result<(), FrameError> {
    let mut out = BytesMut::from(&MAGIC[..]);
    frame::put(&mut out, &message.encode_to_vec());
    writer.write_all(&out).await?;
    Ok(writer.flush().await?)
}

async fn receive<M, R>(reader: &mut FrameReader<R>) -> Result<M, HandshakeError>
where
    M: Message + Default,
    R: AsyncRead + Unpin,
{
    let [first] = reader.raw().await?;
    if TLS_RECORDS.contains(&first) {
        return Err(HandshakeError::SpeaksTls);
    }
    if first != MAGIC[0] || reader.raw::<7>().await? != MAGIC[1..] {
        return Err(HandshakeError::Stranger);
    }
    let payload = reader.next().await?.ok_or(HandshakeError::Closed)?;
    Ok(M::decode(payload)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a caller without TLS has proven.
    const PLAIN: Proof = Proof::Plain;

    fn credentials(cluster: &str, node: &str) -> Credentials {
        let (cluster, node) = (cluster.to_owned(), node.to_owned());
        let address = format!("peer={node}");
        Credentials { cluster, node, shape: "64 partitions".to_owned(), address, tls: PeerSide::default() }
    }

    /// `caller` calls `called` as `name`: what each side makes of it.
    async fn meet(
        caller: &Credentials,
        name: &str,
        called: &Credentials,
    ) -> (Result<(), String>, Result<Caller, String>) {
        meet_with(&PLAIN, caller, name, called).await
    }

    async fn meet_with(
        proof: &Proof,
        caller: &Credentials,
        name: &str,
        called: &Credentials,
    ) -> (Result<(), String>, Result<Caller, String>) {
        let (here, there) = tokio::io::duplex(1024);
        let ((here_in, mut here_out), (there_in, mut there_out)) =
            (tokio::io::split(here), tokio::io::split(there));
        let mut here_in = FrameReader::new(here_in, HELLO_BYTES_MAX);
        let mut there_in = FrameReader::new(there_in, HELLO_BYTES_MAX);
        let (here, there) = tokio::join!(
            caller.call(name, &mut here_in, &mut here_out),
            called.answer(proof, &mut there_in, &mut there_out)
        );
        (here.map_err(|error| error.to_string()), there.map_err(|error| error.to_string()))
    }

    #[tokio::test]
    async fn nodes_of_one_cluster_meet_and_say_where_they_are() {
        let met = meet(&credentials("shop", "n1"), "n2", &credentials("shop", "n2")).await;
        let caller = Caller { name: "n1".to_owned(), address: "peer=n1".to_owned() };
        assert_eq!(met, (Ok(()), Ok(caller)));
    }

    #[tokio::test]
    async fn both_sides_are_told_why_they_do_not_meet() {
        let n2 = credentials("shop", "n2");
        let other_shape = Credentials { shape: "128 partitions".to_owned(), ..credentials("shop", "n1") };
        for (caller, name, why) in [
            (credentials("bank", "n1"), "n2", r#"cluster "bank" called cluster "shop""#),
            (credentials("shop", "n2"), "n2", r#"a node that calls itself "n2" called "n2""#),
            (credentials("shop", "n1"), "n3", r#"node "n3" was called here, but this is "n2""#),
            (other_shape, "n2", "a node with 128 partitions called one with 64 partitions"),
        ] {
            let (here, there) = meet(&caller, name, &n2).await;
            assert_eq!(here, Err(format!("refused by the other side: {why}")));
            assert_eq!(there, Err(format!("refused: {why}")));
        }
    }

    #[tokio::test]
    async fn a_caller_is_believed_only_what_its_certificate_says() {
        let (n1, n2) = (credentials("shop", "n1"), credentials("shop", "n2"));
        let certificate = |names: &[&str]| Proof::Certificate {
            common_name: Some("n1".to_owned()),
            names: names.iter().copied().map(str::to_owned).collect(),
        };
        let (_, believed) = meet_with(&certificate(&["other", "n1"]), &n1, "n2", &n2).await;
        assert_eq!(believed.map(|caller| caller.name), Ok("n1".to_owned()));
        for proof in [Proof::Nobody, certificate(&[]), certificate(&["n11", "*", "N1"])] {
            let (here, there) = meet_with(&proof, &n1, "n2", &n2).await;
            let why = r#"a certificate that is not for "n1" called as "n1""#;
            assert_eq!(here, Err(format!("refused by the other side: {why}")));
            assert_eq!(there, Err(format!("refused: {why}")));
        }
    }

    #[tokio::test]
    async fn one_that_speaks_tls_where_nobody_does_is_told_apart_from_a_stranger() {
        for alert_or_hello in [&[0x15, 3, 3, 0, 2, 2, 70][..], &[0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]] {
            let mut reader = FrameReader::new(alert_or_hello, HELLO_BYTES_MAX);
            let met = credentials("shop", "n2").answer(&PLAIN, &mut reader, &mut Vec::new()).await;
            assert!(matches!(met, Err(HandshakeError::SpeaksTls)), "{met:?}");
        }
    }

    #[tokio::test]
    async fn a_stranger_is_told_nothing() {
        let mut reader = FrameReader::new(&b"GET / HTTP/1.1\r\n\r\n"[..], HELLO_BYTES_MAX);
        let mut said = Vec::new();
        let met = credentials("shop", "n2").answer(&PLAIN, &mut reader, &mut said).await;
        assert!(matches!(met, Err(HandshakeError::Stranger)), "{met:?}");
        assert!(said.is_empty());
    }
}
