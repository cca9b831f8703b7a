//! The limits of every length and count. They hold for what is written as well as for what is read, so that
//! nothing is stored that could not be read back.

/// Longest peer message, in bytes. A peer frame needs no larger limit.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Longest record, in bytes. Smaller than a message, so that every stored state also fits into one.
pub const RECORD_BYTES_MAX: usize = MESSAGE_BYTES_MAX - (1 << 20);

/// Longest context, in bytes.
pub const CONTEXT_BYTES_MAX: usize = 256 << 10;

/// Bucket type, bucket and key of one key together, in bytes. Escaped, and behind the home of a hint, they fit into
/// the storage engine's longest key (65,535 bytes) whatever they contain.
pub const KEY_BYTES_MAX: usize = 32_000;

/// Longest index term, or name of an index, in bytes. Behind a key it must fit into the storage engine's longest key, too:
/// see [`index_key_fits`](crate::index_key_fits).
pub const TERM_BYTES_MAX: usize = 32_000;

/// Longest key of the storage engine, in bytes.
pub const DISK_KEY_BYTES_MAX: usize = 65_535;

/// Most concurrent versions of one key.
pub const SIBLINGS_MAX: usize = 1_024;

/// Most actors in one causal past.
pub const VECTOR_ENTRIES_MAX: usize = 4_096;

/// Most elements of one set, and most fields of one map.
pub const ELEMENTS_MAX: usize = 1 << 20;

/// Most requests that one actor remembers of one counter.
pub const RECENT_REQUESTS_MAX: usize = 2 * cartwheel_core::datatype::REQUESTS_MAX;

/// Most contexts that deferred removes of one value wait for. More than one replica defers, because what each has
/// deferred is merged.
pub const DEFERRED_CONTEXTS_MAX: usize = 64 * cartwheel_core::datatype::DEFERRED_MAX;

/// Most removes that wait for one context.
pub const DEFERRED_REMOVALS_MAX: usize = 64 * cartwheel_core::datatype::DEFERRED_MAX;

/// Most nodes in one list (those that a key is owed to, those that met a quorum).
pub const NODES_MAX: usize = 4_096;

/// Longest cluster state, in bytes.
pub const CLUSTER_BYTES_MAX: usize = 4 << 20;

/// Most members that a cluster ever had, those that have gone included; and most changes staged at once.
pub const MEMBERS_MAX: usize = NODES_MAX;

/// Most buckets that have properties. More than one side of a partition can have set, because sides that find each
/// other again keep what each has.
pub const BUCKETS_MAX: usize = 4 * cartwheel_core::membership::PROPS_BUCKETS_MAX;

/// Most bucket types: as with buckets, sides that find each other again keep what each has.
pub const TYPES_MAX: usize = 4 * cartwheel_core::membership::TYPES_MAX;

/// Most entries that are kept for drivers, likewise.
pub const METADATA_MAX: usize = 4 * cartwheel_core::membership::METADATA_ENTRIES_MAX;

/// Longest message of failure detection, in bytes. Its encoding is the core's own.
pub const SWIM_BYTES_MAX: usize = 1_400;

/// Longest name of a member or of a zone, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Longest address of a member, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 1_024;

/// Most stores that one member ever ran on.
pub const STORES_MAX: usize = 1_024;

/// Most boots of one number that one store is known to have had.
pub const LIVES_MAX: usize = 1_024;

/// Most partitions of a ring.
pub const PARTITIONS_MAX: usize = 1 << 16;

/// Most keys that one step of an exchange lists.
pub const KEYS_PER_STEP_MAX: usize = 65_536;

/// Most keys that are named as differing: all of both sides.
pub const KEYS_DIFFERING_MAX: usize = 2 * KEYS_PER_STEP_MAX;
