//! The bytes of a SWIM message.
//!
//! ```text
//! packet   := version:u8 kind:u8 source:identity incarnation:u16 target:identity [probe:u8 [about:identity]] [news]
//! news     := count:u16 count * (identity incarnation:u16 state:u8)
//! identity := node:u64 boot:u64 renewal:u32
//! ```
//!
//! Big-endian. `probe` is there for kinds 0 to 5, `about` for kinds 2 to 5, `news` for all but announcements and
//! down notices. Fixed sizes, because the reader is then a list of lengths to check; a packet of another version is
//! refused as a whole, and the failure detector lives with that as it does with a lost packet.

use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, BufMut};
use foca::{Codec, Header, Member, Message, State};

use super::identity::Identity;
use crate::id::NodeId;

/// No packet is longer, so each fits into one frame of an ordinary network.
pub(crate) const PACKET_BYTES_MAX: usize = 1_400;

const VERSION: u8 = 1;
const IDENTITY_BYTES: usize = 20;
const MEMBER_BYTES: usize = IDENTITY_BYTES + 3;
/// Up to and with the target.
const HEADER_BYTES: usize = 2 + IDENTITY_BYTES + 2 + IDENTITY_BYTES;

mod kind {
    pub const PING: u8 = 0;
    pub const ACK: u8 = 1;
    pub const PING_REQUEST: u8 = 2;
    pub const INDIRECT_PING: u8 = 3;
    pub const INDIRECT_ACK: u8 = 4;
    pub const FORWARDED_ACK: u8 = 5;
    pub const ANNOUNCE: u8 = 6;
    pub const FEED: u8 = 7;
    pub const GOSSIP: u8 = 8;
    pub const DOWN_NOTICE: u8 = 9;
}

/// The bytes are not what they should be, or there is no room for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed failure-detection message")
    }
}

impl core::error::Error for Malformed {}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub header: Header<Identity>,
    pub news: Vec<Member<Identity>>,
}

impl Packet {
    /// Whether `bytes` tell the receiver that it is taken to be down.
    pub fn is_down_notice(bytes: &[u8]) -> bool {
        bytes.get(1) == Some(&kind::DOWN_NOTICE)
    }

    /// Reads exactly one packet.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > PACKET_BYTES_MAX {
            return Err(Malformed);
        }
        let header = SwimCodec.decode_header(&mut bytes)?;
        let mut news = Vec::new();
        if carries_news(&header.message) {
            let count = usize::from(bytes.try_get_u16().map_err(|_| Malformed)?);
            if bytes.len() != count * MEMBER_BYTES {
                return Err(Malformed);
            }
            news.reserve_exact(count);
            for _ in 0..count {
                news.push(SwimCodec.decode_member(&mut bytes)?);
            }
        }
        if bytes.is_empty() { Ok(Self { header, news }) } else { Err(Malformed) }
    }

    /// The inverse of [`Packet::decode`].
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        let mut bytes =
            Vec::with_capacity(HEADER_BYTES + 3 + IDENTITY_BYTES + self.news.len() * MEMBER_BYTES);
        SwimCodec.encode_header(&self.header, &mut bytes)?;
        if carries_news(&self.header.message) {
            bytes.put_u16(u16::try_from(self.news.len()).map_err(|_| Malformed)?);
            for member in &self.news {
                SwimCodec.encode_member(member, &mut bytes)?;
            }
        }
        Ok(bytes)
    }
}

fn carries_news(message: &Message<Identity>) -> bool {
    !matches!(message, Message::Announce | Message::TurnUndead | Message::Broadcast)
}

/// What foca calls to read and write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SwimCodec;

impl Codec<Identity> for SwimCodec {
    type Error = Malformed;

    fn encode_header(&mut self, header: &Header<Identity>, mut buf: impl BufMut) -> Result<(), Malformed> {
        let (kind, probe, about) = match header.message {
            Message::Ping(probe) => (kind::PING, Some(probe), None),
            Message::Ack(probe) => (kind::ACK, Some(probe), None),
            Message::PingReq { target, probe_number } => {
                (kind::PING_REQUEST, Some(probe_number), Some(target))
            }
            Message::IndirectPing { origin, probe_number } => {
                (kind::INDIRECT_PING, Some(probe_number), Some(origin))
            }
            Message::IndirectAck { target, probe_number } => {
                (kind::INDIRECT_ACK, Some(probe_number), Some(target))
            }
            Message::ForwardedAck { origin, probe_number } => {
                (kind::FORWARDED_ACK, Some(probe_number), Some(origin))
            }
            Message::Announce => (kind::ANNOUNCE, None, None),
            Message::Feed => (kind::FEED, None, None),
            Message::Gossip => (kind::GOSSIP, None, None),
            Message::TurnUndead => (kind::DOWN_NOTICE, None, None),
            // Carries payloads of the application, and this one has none.
            Message::Broadcast => return Err(Malformed),
        };
        if buf.remaining_mut() < HEADER_BYTES + 1 + IDENTITY_BYTES {
            return Err(Malformed);
        }
        buf.put_u8(VERSION);
        buf.put_u8(kind);
        put_identity(&mut buf, header.src);
        buf.put_u16(header.src_incarnation);
        put_identity(&mut buf, header.dst);
        if let Some(probe) = probe {
            buf.put_u8(probe);
        }
        if let Some(about) = about {
            put_identity(&mut buf, about);
        }
        Ok(())
    }

    fn decode_header(&mut self, mut buf: impl Buf) -> Result<Header<Identity>, Malformed> {
        if buf.remaining() < HEADER_BYTES || buf.get_u8() != VERSION {
            return Err(Malformed);
        }
        let kind = buf.get_u8();
        let src = identity(&mut buf)?;
        let src_incarnation = buf.get_u16();
        let dst = identity(&mut buf)?;
        Ok(Header { src, src_incarnation, dst, message: message(kind, &mut buf)? })
    }

    fn encode_member(&mut self, member: &Member<Identity>, mut buf: impl BufMut) -> Result<(), Malformed> {
        if buf.remaining_mut() < MEMBER_BYTES {
            return Err(Malformed);
        }
        put_identity(&mut buf, *member.id());
        buf.put_u16(member.incarnation());
        buf.put_u8(match member.state() {
            State::Alive => 0,
            State::Suspect => 1,
            State::Down => 2,
        });
        Ok(())
    }

    fn decode_member(&mut self, mut buf: impl Buf) -> Result<Member<Identity>, Malformed> {
        if buf.remaining() < MEMBER_BYTES {
            return Err(Malformed);
        }
        let id = identity(&mut buf)?;
        let incarnation = buf.get_u16();
        let state = match buf.get_u8() {
            0 => State::Alive,
            1 => State::Suspect,
            2 => State::Down,
            _ => return Err(Malformed),
        };
        Ok(Member::new(id, incarnation, state))
    }
}

fn message(kind: u8, buf: &mut impl Buf) -> Result<Message<Identity>, Malformed> {
    Ok(match kind {
        kind::PING => Message::Ping(probe(buf)?),
        kind::ACK => Message::Ack(probe(buf)?),
        kind::PING_REQUEST => Message::PingReq { probe_number: probe(buf)?, target: identity(buf)? },
        kind::INDIRECT_PING => Message::IndirectPing { probe_number: probe(buf)?, origin: identity(buf)? },
        kind::INDIRECT_ACK => Message::IndirectAck { probe_number: probe(buf)?, target: identity(buf)? },
        kind::FORWARDED_ACK => Message::ForwardedAck { probe_number: probe(buf)?, origin: identity(buf)? },
        kind::ANNOUNCE => Message::Announce,
        kind::FEED => Message::Feed,
        kind::GOSSIP => Message::Gossip,
        kind::DOWN_NOTICE => Message::TurnUndead,
        _ => return Err(Malformed),
    })
}

fn probe(buf: &mut impl Buf) -> Result<u8, Malformed> {
    buf.try_get_u8().map_err(|_| Malformed)
}

fn identity(buf: &mut impl Buf) -> Result<Identity, Malformed> {
    if buf.remaining() < IDENTITY_BYTES {
        return Err(Malformed);
    }
    Ok(Identity { node: NodeId(buf.get_u64()), boot: buf.get_u64(), renewal: buf.get_u32() })
}

fn put_identity(buf: &mut impl BufMut, identity: Identity) {
    buf.put_u64(identity.node.0);
    buf.put_u64(identity.boot);
    buf.put_u32(identity.renewal);
}
