//! Which forms of an answer a client takes.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

/// An `Accept` or `Accept-Encoding` header: ranges, most wanted first. None at all: anything goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accept(Vec<String>);

impl Accept {
    pub fn media_types(headers: &HeaderMap) -> Self {
        Self::parse(headers, &ACCEPT)
    }

    pub fn encodings(headers: &HeaderMap) -> Self {
        Self::parse(headers, &ACCEPT_ENCODING)
    }

    fn parse(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut ranges: Vec<(u16, String)> = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(range)
            .collect();
        ranges.sort_by_key(|&(quality, _)| std::cmp::Reverse(quality));
        Self(ranges.into_iter().filter(|&(quality, _)| quality > 0).map(|(_, range)| range).collect())
    }

    /// The offer that the client wants most; the first one where it has no preference.
    pub fn choose<'a>(&self, offers: &[&'a str]) -> Option<&'a str> {
        if self.0.is_empty() {
            return offers.first().copied();
        }
        self.0.iter().find_map(|range| offers.iter().copied().find(|offer| admits(range, offer)))
    }

    pub fn admits(&self, offer: &str) -> bool {
        self.choose(&[offer]).is_some()
    }
}

/// `text/html;q=0.5` -> (500, "text/html").
fn range(text: &str) -> Option<(u16, String)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
    Some((quality, range))
}

/// `0.25` -> 250. What is no number counts as 1: a client that misspells its preference still gets an answer.
fn thousandths(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse()) {
        ("0", Ok(thousandths)) => thousandths,
        _ => 1000,
    }
}

fn admits(range: &str, offer: &str) -> bool {
    let offer = offer.split(';').next().unwrap_or(offer).trim().to_ascii_lowercase();
    match range.split_once('/') {
        None => range == "*" || range == offer,
        Some(("*", "*")) => true,
        Some((kind, "*")) => offer.split('/').next() == Some(kind),
        Some(_) => range == offer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> Option<&'static str> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().expect("a header value"))]);
        Accept::media_types(&headers).choose(&["text/plain", "multipart/mixed"])
    }

    #[test]
    fn siblings_are_listed_unless_the_client_wants_them_whole() {
        assert_eq!(Accept::media_types(&HeaderMap::new()).choose(&["a/b", "c/d"]), Some("a/b"));
        assert_eq!(chosen("*/*"), Some("text/plain"));
        assert_eq!(chosen("multipart/mixed"), Some("multipart/mixed"));
        assert_eq!(chosen("multipart/mixed, application/json, */*;q=0.5"), Some("multipart/mixed"));
        assert_eq!(chosen("multipart/*;q=0.2, text/plain; q=0.1"), Some("multipart/mixed"));
        assert_eq!(chosen("application/json"), None);
        assert_eq!(chosen("*/*;q=0"), Some("text/plain"), "refusing everything is no preference");
    }
}
