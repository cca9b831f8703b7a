use super::vector::VersionVector;

/// What a client had been shown when it decided to write: the union of the dots and pasts of the versions it
/// read. Opaque to the client, which hands it back with its put (the paper's section 4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context(pub VersionVector);

impl Context {
    /// The context of a client that has read nothing: its write is concurrent with everything.
    pub const EMPTY: Self = Self(VersionVector::EMPTY);
}
