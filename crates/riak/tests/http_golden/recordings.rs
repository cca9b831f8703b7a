//! The recordings, and what must be there before.

pub struct Recording {
    pub text: &'static str,
    /// What the probe wrote without recording it: paths, headers and bodies.
    pub before: &'static [(&'static str, &'static str, &'static str)],
}

const JSON: &str = r#"{"Content-Type": "application/json"}"#;
const PLAIN: &str = r#"{"Content-Type": "text/plain"}"#;
const RICH: &str = r#"{"Content-Type": "text/plain", "X-Riak-Meta-Foo-Bar": "1", "X-Riak-Index-a_bin": "v",
    "Link": "</buckets/b/keys/k>; riaktag=\"t\""}"#;
const SIBLINGS_KEPT: &str = r#"{"props":{"allow_mult":true}}"#;

pub const OBJECTS: Recording = Recording {
    text: include_str!("../golden/http.txt"),
    before: &[
        ("/buckets/p1/props", JSON, SIBLINGS_KEPT),
        ("/buckets/p1/keys/sib", PLAIN, "s1"),
        ("/buckets/p1/keys/sib", PLAIN, "s2"),
    ],
};

pub const SIBLINGS: Recording = Recording {
    text: include_str!("../golden/http_extra.txt"),
    before: &[("/buckets/x1/props", JSON, SIBLINGS_KEPT), ("/buckets/x1/keys/s", RICH, "1")],
};

pub const LISTINGS: Recording = Recording { text: include_str!("../golden/http_listing.txt"), before: &[] };

pub const DATA_TYPES: Recording = Recording {
    text: include_str!("../golden/http_datatypes.txt"),
    before: &[("/buckets/p1/props", JSON, SIBLINGS_KEPT)],
};

pub const PROPS: Recording = Recording {
    text: include_str!("../golden/http_props.txt"),
    before: &[("/buckets/x1/props", JSON, SIBLINGS_KEPT)],
};
