//! Read, change, write: again if somebody was faster.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bucket::Bucket;
use crate::content::Content;
use crate::error::{Error, Unmet};
use crate::object::Object;
use crate::put::Written;

/// How often a conditional update is begun anew.
const ATTEMPTS_MAX: u32 = 32;

impl Bucket {
    /// Reads `key`, has `change` make one value of all values that are there (none, one, or several siblings), and writes that
    /// in place of what was read. What is there afterwards comes back.
    ///
    /// Nothing is lost that others write in the meantime: their values are siblings of this one, and the next update gets to see
    /// them all. So `change` must take over what it wants to keep from *each* value that it is given: a cart is the union of its
    /// siblings, and the new item. Writes are never refused because somebody else writes, too.
    ///
    /// # Errors
    ///
    /// What reads and writes fail with; [`Error::fate`] says whether the value may have been written. An update whose fate is
    /// unknown is not begun anew by itself: `change` would be applied to its own result.
    pub async fn update<F, C>(&self, key: impl Into<Bytes>, mut change: F) -> Result<Written, Error>
    where
        F: FnMut(&[Content]) -> C,
        C: Into<Content>,
    {
        let key = key.into();
        let shown = self.get(key.clone()).await?;
        let content = change(&values(&shown)).into();
        self.put(key, content).context(shown.context).return_body(true).await
    }

    /// As [`update`](Self::update), but begun anew if somebody else has written since it was read. That is found out by one
    /// more read, just before the write: it makes siblings rare, and cannot rule them out.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and [`Error::Overtaken`].
    pub async fn update_if_unchanged<F, C>(
        &self,
        key: impl Into<Bytes>,
        mut change: F,
    ) -> Result<Written, Error>
    where
        F: FnMut(&[Content]) -> C,
        C: Into<Content>,
    {
        let key = key.into();
        for _ in 0..ATTEMPTS_MAX {
            let shown = self.get(key.clone()).await?;
            let content = change(&values(&shown)).into();
            let put = self.put(key.clone(), content).return_body(true);
            let put = if shown.is_found() { put.if_not_modified() } else { put.if_none_match() };
            let put = put.context(shown.context);
            match put.await {
                Err(Error::Condition(Unmet::Modified | Unmet::Found | Unmet::NotFound)) => {}
                done => return done,
            }
        }
        Err(Error::Overtaken { attempts: ATTEMPTS_MAX })
    }

    /// As [`update`](Self::update), for values in JSON.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and [`Error::Value`] if what is there, or what `change` makes, is not what it should be.
    pub async fn update_json<T, F>(&self, key: impl Into<Bytes>, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce(Vec<T>) -> T,
    {
        let key = key.into();
        let shown = self.get(key.clone()).await?;
        let value = change(shown.parse_json()?);
        self.put_json(key, &value)?.context(shown.context).await?;
        Ok(value)
    }
}

fn values(shown: &Object) -> Vec<Content> {
    shown.values().cloned().collect()
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
