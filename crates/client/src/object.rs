//! What is stored under a key.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::content::Content;
use crate::error::Error;

/// What a client has been shown of a key. Opaque: it goes back with the next write, which then replaces what was shown and
/// nothing else. The bytes are those of `X-Riak-Vclock`, before base64.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context(pub Bytes);

/// What is stored under a key: its siblings, and the context to replace them with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// The versions that no version replaces, deletes among them. None where nothing is. More than one where writers had not
    /// seen each other's.
    pub siblings: Vec<Content>,
    /// What this shows. `None` where nothing is.
    pub context: Option<Context>,
    /// Whether it is what [`if_modified`](crate::Get::if_modified) was given. Then nothing else is here.
    pub is_unchanged: bool,
}

impl Object {
    pub(crate) fn new(content: Vec<cartwheel_riak::pb::message::RpbContent>, vclock: Option<Bytes>) -> Self {
        let siblings = content.into_iter().map(Content).collect();
        Self { siblings, context: vclock.map(Context), is_unchanged: false }
    }

    /// Whether there is a value.
    pub fn is_found(&self) -> bool {
        self.values().next().is_some()
    }

    /// The siblings that are no deletes.
    pub fn values(&self) -> impl Iterator<Item = &Content> {
        self.siblings.iter().filter(|content| !content.is_deleted())
    }

    /// The only value; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Siblings`]: there are several, and somebody has to make one of them.
    pub fn value(&self) -> Result<Option<&Content>, Error> {
        let mut values = self.values();
        match (values.next(), values.count()) {
            (only, 0) => Ok(only),
            (_, more) => Err(Error::Siblings { count: more + 1 }),
        }
    }

    /// All values, read as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Value`]: one is something else.
    pub fn parse_json<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        self.values().map(Content::parse_json).collect()
    }
}
