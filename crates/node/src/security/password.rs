//! Hashes of passwords: PBKDF2 with HMAC-SHA-256, as text `$pbkdf2-sha256$i=600000$SALT$HASH`, the last two in base64
//! without padding.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};

use crate::runtime::random;

/// What a new hash costs: a fifth of a second or so of one core.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).expect("not zero");
/// Below, a hash is no obstacle; above, checking one would take seconds.
const ITERATIONS_ALLOWED: std::ops::RangeInclusive<u32> = 1_000..=10_000_000;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// A password, made unreadable.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Makes a password unreadable, with a salt of its own.
pub fn hash_password(password: &str) -> PasswordHash {
    PasswordHash::new(password, ITERATIONS, random::<SALT_BYTES>().to_vec())
}

impl PasswordHash {
    fn new(password: &str, iterations: NonZeroU32, salt: Vec<u8>) -> Self {
        let mut hash = vec![0; HASH_BYTES];
        pbkdf2::derive(PBKDF2_HMAC_SHA256, iterations, &salt, password.as_bytes(), &mut hash);
        Self { iterations, salt, hash }
    }

    /// What no password fits, and costs as much to find out.
    pub(super) fn of_nobody() -> Self {
        let [salt, hash] = [random::<SALT_BYTES>().to_vec(), random::<HASH_BYTES>().to_vec()];
        Self { iterations: ITERATIONS, salt, hash }
    }

    /// The same, where finding out costs as much as with `other`.
    pub(super) fn at_the_cost_of(&self, other: &Self) -> Self {
        Self { iterations: other.iterations, ..self.clone() }
    }

    #[cfg(test)]
    pub(super) fn iterations(&self) -> u32 {
        self.iterations.get()
    }

    /// Whether it is the hash of `password`. Takes long, on purpose: not for a thread that others wait for.
    pub fn is_of(&self, password: &str) -> bool {
        let Self { iterations, salt, hash } = self;
        pbkdf2::verify(PBKDF2_HMAC_SHA256, *iterations, salt, password.as_bytes(), hash).is_ok()
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, hash] = [&self.salt, &self.hash].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        write!(f, "$pbkdf2-sha256$i={}${salt}${hash}", self.iterations)
    }
}

/// A hash in a log could be guessed at.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl FromStr for PasswordHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('$').collect();
        let ["", "pbkdf2-sha256", iterations, salt, hash] = parts.as_slice() else {
            return Err("not a hash; allowed is what `cartwheel security hash` prints".to_owned());
        };
        let iterations = iterations.strip_prefix("i=").and_then(|it| it.parse::<u32>().ok());
        let iterations = iterations.filter(|it| ITERATIONS_ALLOWED.contains(it)).and_then(NonZeroU32::new);
        let iterations = iterations.ok_or_else(|| {
            let (min, max) = (ITERATIONS_ALLOWED.start(), ITERATIONS_ALLOWED.end());
            format!("a hash of too few or too many iterations; allowed are i={min} to i={max}")
        })?;
        let [salt, hash] = [salt, hash].map(|part| STANDARD_NO_PAD.decode(part).unwrap_or_default());
        if salt.is_empty() || hash.len() != HASH_BYTES {
            return Err("a hash that is cut short, or not base64".to_owned());
        }
        Ok(Self { iterations, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_and_reads_as_it_is_written() {
        let few = NonZeroU32::new(1_000).expect("not zero");
        let hash = PasswordHash::new("milk", few, b"salt".to_vec());
        assert!(hash.is_of("milk") && !hash.is_of("Milk") && !hash.is_of(""));
        assert_eq!(hash.to_string().parse(), Ok(hash.clone()));
        assert!(!format!("{hash:?}").contains(&STANDARD_NO_PAD.encode(b"salt")));
    }

    /// From RFC 7914, section 11.
    #[test]
    fn it_is_the_function_that_others_mean() {
        let hash = PasswordHash::new("passwd", NonZeroU32::MIN, b"salt".to_vec());
        assert_eq!(&hash.hash[..8], [0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f]);
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for (text, why) in [
            ("milk", "not a hash"),
            ("$argon2id$i=1000$c2FsdA$aGFzaA", "not a hash"),
            ("$pbkdf2-sha256$i=1$c2FsdA$aGFzaA", "too few or too many iterations"),
            ("$pbkdf2-sha256$i=1000$c2FsdA$aGFzaA", "cut short"),
        ] {
            let error = text.parse::<PasswordHash>().expect_err("refused");
            assert!(error.contains(why) && !error.contains("c2FsdA"), "{error}");
        }
    }
}
