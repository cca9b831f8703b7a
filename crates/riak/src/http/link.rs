//! The Link header: pointers to other keys.

use crate::content::Link;

use super::refusal::Refusal;
use super::route::{quote, unquote};

/// How a client spells paths, and is shown them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// `/buckets/B/keys/K`.
    #[default]
    Buckets,
    /// `/riak/B/K`, the older one.
    Riak,
}

impl Form {
    /// A bucket's path, of names that are quoted.
    pub fn bucket(self, bucket: &str) -> String {
        match self {
            Self::Buckets => format!("/buckets/{bucket}"),
            Self::Riak => format!("/riak/{bucket}"),
        }
    }

    /// A key's path, of names that are quoted.
    pub fn key(self, bucket: &str, key: &str) -> String {
        match self {
            Self::Buckets => format!("/buckets/{bucket}/keys/{key}"),
            Self::Riak => format!("/riak/{bucket}/{key}"),
        }
    }
}

/// Reads one Link header. The pointer to the bucket itself (`rel="up"`), which every answer carries, is no link.
pub(super) fn parse(header: &str) -> Result<Vec<Link>, Refusal> {
    let mut links = Vec::new();
    for item in header.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        links.extend(one(item).ok_or(Refusal::Link)?);
    }
    Ok(links)
}

fn one(item: &str) -> Option<Option<Link>> {
    let (target, parameter) = item.strip_prefix('<')?.split_once('>')?;
    let (name, value) = parameter.trim_start().strip_prefix(';')?.trim().split_once('=')?;
    let value = value.strip_prefix('"')?.strip_suffix('"')?;
    match (name, target_of(target)?) {
        ("riaktag", (bucket, Some(key))) => Some(Some(Link {
            bucket: Some(unquote(bucket.as_bytes()).into()),
            key: Some(unquote(key.as_bytes()).into()),
            tag: Some(unquote(value.as_bytes()).into()),
        })),
        ("rel", (_, None)) => Some(None),
        _ => None,
    }
}

/// `/buckets/B/keys/K` or the older `/riak/B/K`; without the key, a bucket.
fn target_of(path: &str) -> Option<(&str, Option<&str>)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments.as_slice() {
        ["buckets" | "riak", bucket] => Some((bucket, None)),
        ["buckets", bucket, "keys", key] | ["riak", bucket, key] => Some((bucket, Some(key))),
        _ => None,
    }
}

/// The links of a value in `bucket`, and the way up.
pub(super) fn render(links: &[Link], bucket: &[u8], form: Form) -> String {
    let quoted = |name: &Option<bytes::Bytes>| quote(name.as_deref().unwrap_or_default());
    let mut header = String::new();
    for Link { bucket, key, tag } in links {
        let (bucket, key, tag) = (quoted(bucket), quoted(key), quoted(tag));
        header.push_str(&format!("<{}>; riaktag=\"{tag}\", ", form.key(&bucket, &key)));
    }
    header + &format!("<{}>; rel=\"up\"", form.bucket(&quote(bucket)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_survive_the_round_trip_through_a_client() {
        let header = "</buckets/b%20c/keys/a%2Fb>; riaktag=\"next\", </buckets/p1>; rel=\"up\"";
        let links = parse(header).expect("well formed");
        assert_eq!(links.len(), 1);
        assert_eq!(render(&links, b"p1", Form::Buckets), header);
        let old = "</riak/b%20c/a%2Fb>; riaktag=\"next\", </riak/p1>; rel=\"up\"";
        assert_eq!(render(&links, b"p1", Form::Riak), old);
        assert_eq!(parse(old), Ok(links));
        assert_eq!(parse("</riak/b/k>; riaktag=\"t\"").map(|links| links.len()), Ok(1));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["bogus", "</buckets/b/keys/k>", "</buckets/b/keys/k>; riaktag=t", "<b/k>; riaktag=\"t\""]
        {
            assert_eq!(parse(bad), Err(Refusal::Link), "{bad}");
        }
    }
}
