//! Buckets and their types.

use bytes::Bytes;
use serde::Serialize;

use crate::client::Client;
use crate::content::Content;
use crate::delete::Delete;
use crate::error::Error;
use crate::get::Get;
use crate::put::Put;

/// A bucket: where keys live. Making one does nothing; a bucket is there when a key is.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub(crate) client: Client,
    pub(crate) bucket_type: Option<Bytes>,
    pub(crate) name: Bytes,
}

/// A bucket type: buckets with common properties, and of data types if it says so.
#[derive(Clone, Debug)]
pub struct BucketType {
    pub(crate) client: Client,
    pub(crate) name: Bytes,
}

impl BucketType {
    pub(crate) fn new(client: Client, name: Bytes) -> Self {
        Self { client, name }
    }

    /// A bucket of this type.
    pub fn bucket(&self, name: impl Into<Bytes>) -> Bucket {
        Bucket::new(self.client.clone(), Some(self.name.clone()), name.into())
    }

    /// Its name.
    pub fn name(&self) -> &Bytes {
        &self.name
    }
}

impl Bucket {
    pub(crate) fn new(client: Client, bucket_type: Option<Bytes>, name: Bytes) -> Self {
        // Clients of Riak leave the type away when it is this one.
        Self { client, bucket_type: bucket_type.filter(|it| it.as_ref() != b"default"), name }
    }

    /// Its name.
    pub fn name(&self) -> &Bytes {
        &self.name
    }

    /// The name of its type.
    pub fn bucket_type(&self) -> &[u8] {
        self.bucket_type.as_deref().unwrap_or(b"default")
    }

    /// Reads a key.
    pub fn get(&self, key: impl Into<Bytes>) -> Get {
        Get::new(self.clone(), key.into())
    }

    /// Writes a key. Text and bytes are contents, too.
    pub fn put(&self, key: impl Into<Bytes>, content: impl Into<Content>) -> Put {
        Put::new(self.clone(), Some(key.into()), &content.into())
    }

    /// Writes a key that the node makes: [`Written::key`](crate::Written::key).
    pub fn put_new(&self, content: impl Into<Content>) -> Put {
        Put::new(self.clone(), None, &content.into())
    }

    /// Writes `value` as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Value`]: it cannot be JSON.
    pub fn put_json<T: Serialize + ?Sized>(&self, key: impl Into<Bytes>, value: &T) -> Result<Put, Error> {
        Ok(self.put(key, Content::json(value)?))
    }

    /// Deletes a key.
    pub fn delete(&self, key: impl Into<Bytes>) -> Delete {
        Delete::new(self.clone(), key.into())
    }
}
