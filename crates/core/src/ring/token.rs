use core::fmt;

/// A point of the 64-bit ring. Frozen: xxh3-64 over bucket type, bucket and key, each preceded by its length as
/// 32 little-endian bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

impl Token {
    /// Where a key lives.
    pub fn of(bucket_type: &[u8], bucket: &[u8], key: &[u8]) -> Self {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for part in [bucket_type, bucket, key] {
            hasher.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.digest())
    }

    /// The partition of `partitions` equal ones (a power of two) that the token falls into.
    pub fn partition(self, partitions: u32) -> Partition {
        assert!(partitions.is_power_of_two());
        let bits = partitions.trailing_zeros();
        Partition(if bits == 0 { 0 } else { u32::try_from(self.0 >> (64 - bits)).unwrap_or(0) })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One of the Q equal ranges of the ring, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u32);

impl Partition {
    /// As an index into a table of all partitions.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_frozen() {
        assert_eq!(xxhash_rust::xxh3::xxh3_64(b"abc"), 0x78af_5f94_892f_3950);
        assert_eq!(Token::of(b"default", b"carts", b"alice"), Token(0x78f0_c2fd_f9d1_b2d8));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Token::of(b"t", b"ab", b"c"), Token::of(b"t", b"a", b"bc"));
    }

    #[test]
    fn partitions_are_equal_ranges() {
        assert_eq!(Token(0).partition(8), Partition(0));
        assert_eq!(Token((1 << 61) - 1).partition(8), Partition(0));
        assert_eq!(Token(1 << 61).partition(8), Partition(1));
        assert_eq!(Token(u64::MAX).partition(8), Partition(7));
    }
}
