//! One connection to a node: frames out, frames in, one request at a time.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Buf, Bytes, BytesMut};
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::{self, Frame};
use cartwheel_riak::pb::message::{RpbAuthReq, RpbErrorResp};
use prost::Message;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest answer that is taken: longer ones are no answers.
const FRAME_BYTES_MAX: usize = 1 << 30;

trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for T {}

/// With what a client comes in where nodes tell users apart.
#[derive(Clone)]
pub(crate) struct Admission {
    pub tls: Arc<ClientConfig>,
    pub user: String,
    pub password: String,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum NoConnection {
    /// The node cannot be reached, or was lost.
    Lost(io::Error),
    /// It does not let the client in, and would not the next time.
    NotLetIn(String),
}

impl From<io::Error> for NoConnection {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// A connection on which nothing is under way, or exactly one request.
pub(crate) struct Connection {
    stream: Box<dyn Duplex>,
    buffer: BytesMut,
}

impl Connection {
    /// Calls the node at `address` (`host:port`) and goes through what is asked at its door.
    pub async fn open(address: &str, admission: Option<&Admission>) -> Result<Self, NoConnection> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let plain = Self { stream: Box::new(tcp), buffer: BytesMut::new() };
        match admission {
            None => Ok(plain),
            Some(admission) => plain.admitted(address, admission).await,
        }
    }

    async fn admitted(mut self, address: &str, admission: &Admission) -> Result<Self, NoConnection> {
        self.send(&bare(code::START_TLS)).await?;
        self.expect(code::START_TLS).await?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|error| NoConnection::NotLetIn(format!("{host:?} is no name: {error}")))?;
        let tls = TlsConnector::from(Arc::clone(&admission.tls)).connect(name, self.stream).await;
        let tls = tls.map_err(|error| match error.get_ref().is_some_and(|it| it.is::<rustls::Error>()) {
            true => NoConnection::NotLetIn(format!("TLS: {error}")),
            false => NoConnection::Lost(error),
        })?;
        let mut private = Self { stream: Box::new(tls), buffer: BytesMut::new() };
        let mut auth = BytesMut::new();
        let (user, password) = (admission.user.clone(), admission.password.clone());
        frame::put(&mut auth, &RpbAuthReq { user: user.into(), password: password.into() });
        private.send(&auth).await?;
        private.expect(code::AUTH_RESP).await?;
        Ok(private)
    }

    async fn expect(&mut self, expected: u8) -> Result<(), NoConnection> {
        let Frame { code, body } = self.receive().await.map_err(|error| match error.kind() {
            // With TLS 1.3 a node that does not believe the client's certificate says so only now.
            io::ErrorKind::InvalidData => NoConnection::NotLetIn(format!("TLS: {error}")),
            _ => NoConnection::Lost(error),
        })?;
        if code == expected {
            return Ok(());
        }
        let said = match code {
            code::ERROR_RESP => error_text(body),
            other => format!("it answers with message {other} where {expected} is due"),
        };
        Err(NoConnection::NotLetIn(said))
    }

    /// Sends whole frames.
    pub async fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        self.stream.write_all(frames).await?;
        self.stream.flush().await
    }

    /// The next frame.
    pub async fn receive(&mut self) -> io::Result<Frame> {
        loop {
            let taken = frame::take(&mut self.buffer, FRAME_BYTES_MAX);
            match taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
                Some(frame) => return Ok(frame),
                None if self.stream.read_buf(&mut self.buffer).await? == 0 => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                None => {}
            }
        }
    }

    /// Whether the node has hung up, or has said something that nobody had asked for, while the connection was idle.
    pub async fn is_stale(&mut self) -> bool {
        if self.buffer.has_remaining() {
            return true;
        }
        let mut room = [0; 1];
        poll_fn(|cx| {
            let mut room = ReadBuf::new(&mut room);
            Poll::Ready(Pin::new(&mut self.stream).poll_read(cx, &mut room).is_ready())
        })
        .await
    }
}

/// A frame without a body.
pub(crate) fn bare(code: u8) -> BytesMut {
    let mut frame = BytesMut::new();
    frame::put_bare(&mut frame, code);
    frame
}

/// What an error message says.
pub(crate) fn error_text(body: Bytes) -> String {
    match RpbErrorResp::decode(body) {
        Ok(error) => String::from_utf8_lossy(&error.errmsg).into_owned(),
        Err(error) => format!("an error that cannot be read: {error}"),
    }
}
