//! What is in the frames.

use bytes::{Buf, Bytes};
use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::time::{Instant, Now, WallTime};
use cartwheel_core::{Boot, Config, Input};
use cartwheel_wire::{
    DecodeError, decode_boot, decode_config, decode_input, encode_boot, encode_config, encode_input,
};
use prost::Message as _;

/// What is kept of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Values {
    /// All of them, as clients wrote them.
    #[default]
    Whole,
    /// Only what [`stand_in`](crate::stand_in()) makes of them: bytes of the same length, of their hash.
    Hashes,
}

/// Whose inputs these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The cluster's name.
    pub cluster: String,
    /// The node's name.
    pub name: String,
    /// The node.
    pub node: NodeId,
    /// The life of its data directory.
    pub store: StoreId,
    /// How often that was opened.
    pub boot: u64,
    /// What is kept of values.
    pub values: Values,
    /// The version of the software that recorded.
    pub software: String,
}

/// All that a node is told at its birth, and what it wanted done at once.
#[derive(Clone, Debug)]
pub struct Birth {
    /// Its settings.
    pub config: Config,
    /// What its driver knew.
    pub boot: Boot,
    /// When.
    pub now: Now,
    /// The digest of its first outputs.
    pub digest: u32,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub now: Now,
    /// What.
    pub input: Input,
    /// The digest of what the node wanted done. `None`: it never came so far.
    pub digest: Option<u32>,
}

/// What a segment begins with.
#[derive(Clone, Debug)]
pub struct Head {
    /// Whose inputs these are.
    pub origin: Origin,
    /// Its place among the segments of the boot, from 0.
    pub place: u64,
    /// The number of the first input in it, from 0 in each boot.
    pub first: u64,
    /// Times are counted from here.
    pub since: Now,
    /// In the first segment of a boot.
    pub birth: Option<Birth>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HeadSchema {
    #[prost(string, tag = "1")]
    cluster: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(fixed64, tag = "3")]
    node: u64,
    #[prost(fixed64, tag = "4")]
    store: u64,
    #[prost(uint64, tag = "5")]
    boot: u64,
    #[prost(bool, tag = "6")]
    hashes: bool,
    #[prost(string, tag = "7")]
    software: String,
    #[prost(uint64, tag = "8")]
    place: u64,
    #[prost(uint64, tag = "9")]
    first: u64,
    #[prost(uint64, tag = "10")]
    monotonic_ns: u64,
    #[prost(uint64, tag = "11")]
    wall_us: u64,
    #[prost(message, optional, tag = "12")]
    birth: Option<BirthSchema>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct BirthSchema {
    #[prost(bytes = "bytes", tag = "1")]
    config: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    boot: Bytes,
    #[prost(fixed32, tag = "3")]
    digest: u32,
}

/// Times are differences to the entry before; in the first one of a frame, to the head of the segment.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct EntrySchema {
    #[prost(uint64, tag = "1")]
    monotonic_ns: u64,
    #[prost(sint64, tag = "2")]
    wall_us: i64,
    #[prost(fixed32, optional, tag = "3")]
    digest: Option<u32>,
    #[prost(bytes = "bytes", tag = "4")]
    input: Bytes,
}

impl Head {
    /// As it stands in a frame.
    pub fn encode(&self) -> Vec<u8> {
        let Self { origin, place, first, since, birth } = self;
        let birth = birth.as_ref().map(|birth| BirthSchema {
            config: encode_config(&birth.config).into(),
            boot: encode_boot(&birth.boot).into(),
            digest: birth.digest,
        });
        let head = HeadSchema {
            cluster: origin.cluster.clone(),
            name: origin.name.clone(),
            node: origin.node.0,
            store: origin.store.0,
            boot: origin.boot,
            hashes: origin.values == Values::Hashes,
            software: origin.software.clone(),
            place: *place,
            first: *first,
            monotonic_ns: since.monotonic.0,
            wall_us: since.wall.0,
            birth,
        };
        head.encode_to_vec()
    }

    /// What [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// Bytes that it does not make.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let head = HeadSchema::decode(bytes)?;
        let since = Now { monotonic: Instant(head.monotonic_ns), wall: WallTime(head.wall_us) };
        let birth = |birth: BirthSchema| {
            let (config, boot) = (decode_config(birth.config)?, decode_boot(birth.boot)?);
            Ok::<_, DecodeError>(Birth { config, boot, now: since, digest: birth.digest })
        };
        let origin = Origin {
            cluster: head.cluster,
            name: head.name,
            node: NodeId(head.node),
            store: StoreId(head.store),
            boot: head.boot,
            values: if head.hashes { Values::Hashes } else { Values::Whole },
            software: head.software,
        };
        Ok(Self {
            origin,
            place: head.place,
            first: head.first,
            since,
            birth: head.birth.map(birth).transpose()?,
        })
    }
}

/// Entries on their way into a frame.
#[derive(Debug, Default)]
pub struct Entries {
    plain: Vec<u8>,
    last: Now,
    count: u64,
}

impl Entries {
    /// Adds the input of number `index`, of a segment whose times are counted from `since`.
    pub fn add(&mut self, since: Now, index: u64, heard: &Heard) {
        if self.count == 0 {
            self.plain.clear();
            self.last = since;
            prost::encoding::encode_varint(index, &mut self.plain);
        }
        let Heard { now, input, digest } = heard;
        let entry = EntrySchema {
            monotonic_ns: now.monotonic.0.wrapping_sub(self.last.monotonic.0),
            wall_us: now.wall.0.wrapping_sub(self.last.wall.0).cast_signed(),
            digest: *digest,
            input: encode_input(input).into(),
        };
        self.last = *now;
        self.count += 1;
        // Into a vector, which grows: nothing to fail.
        _ = entry.encode_length_delimited(&mut self.plain);
    }

    /// How much they take, in bytes before compression.
    pub fn bytes(&self) -> usize {
        if self.count == 0 { 0 } else { self.plain.len() }
    }

    /// Takes them out, as what is to be framed, and how many there are.
    pub fn take(&mut self) -> Option<(&[u8], u64)> {
        let count = std::mem::take(&mut self.count);
        (count > 0).then_some((self.plain.as_slice(), count))
    }
}

/// The entries of a frame: the number of the first, and all of them.
///
/// # Errors
///
/// Bytes that [`Entries`] does not make.
pub fn decode_entries(since: Now, mut plain: Bytes) -> Result<(u64, Vec<Heard>), DecodeError> {
    let first = prost::encoding::decode_varint(&mut plain)?;
    let mut last = since;
    let mut entries = Vec::new();
    while plain.has_remaining() {
        let entry = EntrySchema::decode_length_delimited(&mut plain)?;
        last = Now {
            monotonic: Instant(last.monotonic.0.wrapping_add(entry.monotonic_ns)),
            wall: WallTime(last.wall.0.wrapping_add_signed(entry.wall_us)),
        };
        entries.push(Heard { now: last, input: decode_input(entry.input)?, digest: entry.digest });
    }
    Ok((first, entries))
}
