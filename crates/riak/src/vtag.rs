//! Short names for versions and for sets of them: entity tags, sibling tags, keys made by the server.

use cartwheel_core::id::RequestId;
use cartwheel_core::version::{Dot, Siblings};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The tag of one version: the same on every node and for ever, because a dot is.
pub fn of_version(dot: Dot) -> String {
    let mut hasher = Xxh3::new();
    for word in [dot.actor.node.0, dot.actor.store.0, dot.actor.boot, dot.actor.mint, dot.counter] {
        hasher.update(&word.to_le_bytes());
    }
    base62(hasher.digest128())
}

/// The tag of a set of siblings.
pub fn of_siblings(siblings: &Siblings) -> String {
    base62(siblings.digest().0)
}

/// A key for a write that names none. Made from the request's id, so that a retry of the request means the same key.
pub fn key_for(request: RequestId) -> String {
    base62(xxh3_128(&request.0.to_le_bytes()))
}

/// Digits, then capitals, then small letters; as short as it can be.
pub(crate) fn base62(mut number: u128) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[usize::try_from(number % 62).unwrap_or(0)]));
        number /= 62;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_62_counts_like_any_other_base() {
        let shown: Vec<String> = [0, 61, 62, 62 * 62, u128::MAX].into_iter().map(base62).collect();
        assert_eq!(shown, ["0", "z", "10", "100", "7n42DGM5Tflk9n8mt7Fhc7"]);
    }

    #[test]
    fn a_retry_means_the_same_key() {
        assert_eq!(key_for(RequestId(7)), key_for(RequestId(7)));
        assert_ne!(key_for(RequestId(7)), key_for(RequestId(8)));
    }
}
