//! How many replicas must have answered.

/// How many of a key's N replicas must have answered a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quorum {
    /// As the bucket says.
    #[default]
    Default,
    /// One.
    One,
    /// More than half.
    Majority,
    /// All.
    All,
    /// So many.
    Count(u8),
}

impl Quorum {
    const ONE: u32 = u32::MAX - 1;
    const MAJORITY: u32 = u32::MAX - 2;
    const ALL: u32 = u32::MAX - 3;
    const DEFAULT: u32 = u32::MAX - 4;

    pub(crate) fn code(self) -> u32 {
        match self {
            Self::One => Self::ONE,
            Self::Majority => Self::MAJORITY,
            Self::All => Self::ALL,
            Self::Default => Self::DEFAULT,
            Self::Count(count) => count.into(),
        }
    }

    pub(crate) fn of(code: u32) -> Self {
        match code {
            Self::ONE => Self::One,
            Self::MAJORITY => Self::Majority,
            Self::ALL => Self::All,
            Self::DEFAULT => Self::Default,
            // No cluster has more replicas.
            count => Self::Count(u8::try_from(count).unwrap_or(u8::MAX)),
        }
    }
}

impl From<u8> for Quorum {
    fn from(count: u8) -> Self {
        Self::Count(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_go_there_and_back() {
        for quorum in [Quorum::Default, Quorum::One, Quorum::Majority, Quorum::All, Quorum::Count(2)] {
            assert_eq!(Quorum::of(quorum.code()), quorum);
        }
    }
}
