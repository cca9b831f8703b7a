//! Quorums in 32 bits: small numbers are themselves, words are at the very end.

use cartwheel_core::Quorum;

use super::refusal::Refusal;

const ONE: u32 = u32::MAX - 1;
const QUORUM: u32 = u32::MAX - 2;
const ALL: u32 = u32::MAX - 3;
const DEFAULT: u32 = u32::MAX - 4;

/// What a number means; `None` for one that no cluster can give, so large it is.
pub fn quorum_of(code: u32) -> Option<Quorum> {
    Some(match code {
        ONE => Quorum::One,
        QUORUM => Quorum::Majority,
        ALL => Quorum::All,
        DEFAULT => Quorum::Default,
        count => Quorum::Count(u8::try_from(count).ok()?),
    })
}

/// The number for a quorum.
pub fn code_of(quorum: Quorum) -> u32 {
    match quorum {
        Quorum::One => ONE,
        Quorum::Majority => QUORUM,
        Quorum::All => ALL,
        Quorum::Default => DEFAULT,
        Quorum::Count(count) => count.into(),
    }
}

/// A quorum of a request; absent it is what the bucket says. `n` is for the error.
pub(super) fn required(asked: Option<u32>, n: u8) -> Result<Quorum, Refusal> {
    Ok(optional(asked, n)?.unwrap_or_default())
}

/// A quorum that a request may leave to the bucket. `n` is for the error.
pub(super) fn optional(asked: Option<u32>, n: u8) -> Result<Option<Quorum>, Refusal> {
    let Some(asked) = asked else { return Ok(None) };
    let quorum = quorum_of(asked).ok_or(Refusal::QuorumBeyondN { n })?;
    Ok(Some(quorum).filter(|quorum| *quorum != Quorum::Default))
}

/// How many distinct nodes must confirm: a quorum, too, but a number to the core.
pub(super) fn confirms(asked: Option<u32>, n: u8) -> Result<Option<u8>, Refusal> {
    Ok(optional(asked, n)?.map(|quorum| match quorum {
        Quorum::Count(count) => count,
        Quorum::Default | Quorum::One => 1,
        Quorum::Majority => n / 2 + 1,
        Quorum::All => n,
    }))
}

/// How many homes a request wants asked. `n` is for the error.
pub(super) fn homes(asked: Option<u32>, n: u8) -> Result<Option<u8>, Refusal> {
    match asked.map(u8::try_from) {
        None => Ok(None),
        Some(Ok(homes)) if (1..=n).contains(&homes) => Ok(Some(homes)),
        Some(_) => Err(Refusal::Replicas { asked: asked.unwrap_or_default(), n }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_riaks_numbers_and_come_back() {
        let codes = [4_294_967_294, 4_294_967_293, 4_294_967_292, 4_294_967_291, 0, 3, 255];
        let quorums = codes.map(|code| quorum_of(code).expect("a quorum"));
        assert_eq!(quorums[..4], [Quorum::One, Quorum::Majority, Quorum::All, Quorum::Default]);
        assert_eq!(quorums[4..], [Quorum::Count(0), Quorum::Count(3), Quorum::Count(255)]);
        assert_eq!(quorums.map(code_of), codes);
        assert_eq!(quorum_of(256), None);
        assert_eq!(quorum_of(u32::MAX), None);
    }

    #[test]
    fn what_is_left_to_the_bucket_is_not_a_quorum_of_none() {
        assert_eq!(optional(None, 3), Ok(None));
        assert_eq!(optional(Some(DEFAULT), 3), Ok(None));
        assert_eq!(optional(Some(0), 3), Ok(Some(Quorum::Count(0))));
        assert_eq!(required(None, 3), Ok(Quorum::Default));
        assert_eq!(required(Some(1_000), 3), Err(Refusal::QuorumBeyondN { n: 3 }));
        assert_eq!(confirms(Some(QUORUM), 3), Ok(Some(2)));
        assert_eq!(homes(Some(4), 3), Err(Refusal::Replicas { asked: 4, n: 3 }));
    }
}
