//! One recorded request and answer.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use cartwheel_riak::http::Response;
use http::Request;
use http::request::Parts;
use serde_json::Value;

/// Recorded names (contexts, tags), and ours for the same things.
#[derive(Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    fn learn(&mut self, theirs: &str, ours: &str) {
        self.0.insert(theirs.trim_matches('"').to_owned(), ours.trim_matches('"').to_owned());
    }

    fn translate(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }
}

pub struct Exchange {
    line: String,
    method: String,
    target: String,
    headers: String,
    request_body: String,
    status: u16,
    answer_headers: BTreeMap<String, String>,
    answer: String,
}

pub fn request(method: &str, target: &str, headers: &str) -> Parts {
    let headers: BTreeMap<String, String> = serde_json::from_str(headers).expect("headers are JSON");
    let builder = Request::builder().method(method).uri(target).header("Accept-Encoding", "identity");
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder.body(()).expect("a request").into_parts().0
}

impl Exchange {
    pub fn parse_all(recorded: &str) -> Vec<Self> {
        recorded.split("### ").skip(1).map(Self::parse).collect()
    }

    fn parse(text: &str) -> Self {
        let (line, rest) = text.split_once('\n').expect("a request line");
        let (status, rest) = rest.split_once('\n').expect("a status line");
        let (headers, body) = rest.split_once("  | ").expect("a body");
        let (asked, request_body) = line.split_once(" body='").unwrap_or((line, "'"));
        let mut words = asked.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().trim().to_owned();
        let (method, target, headers_json) = (word(), word(), word());
        Self {
            line: line.to_owned(),
            method,
            target,
            headers: if headers_json.is_empty() { "{}".to_owned() } else { headers_json },
            request_body: request_body.trim_end_matches('\'').to_owned(),
            status: status.split(' ').next().and_then(|code| code.parse().ok()).expect("a status"),
            answer_headers: headers.lines().filter_map(header).collect(),
            answer: body.strip_suffix("\n\n").expect("a blank line").replace("\\r\\n\n  | ", "\r\n"),
        }
    }

    pub fn line(&self) -> &str {
        &self.line
    }

    pub fn request(&self, names: &Names) -> Parts {
        request(&self.method, &names.translate(&self.target), &names.translate(&self.headers))
    }

    pub fn body(&self, names: &Names) -> String {
        names.translate(&self.request_body)
    }

    /// Whether we answer as Riak did; if not, how.
    pub fn compare(&self, response: &Response, names: &mut Names) -> Result<(), String> {
        let ours: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        for name in ["x-riak-vclock", "etag", "last-modified"] {
            if let (Some(theirs), Some(ours)) = (self.answer_headers.get(name), ours.get(name)) {
                names.learn(theirs, ours);
            }
        }
        let body = String::from_utf8_lossy(response.body()).into_owned();
        same(&self.status, &response.status().as_u16()).map_err(|why| format!("{why}{body}"))?;
        learn_listed_tags(&self.answer, &body, names);
        if let (Some(theirs), Some(ours)) = (context(&self.answer), context(&body)) {
            names.learn(theirs, ours);
        }
        same(&self.comparable(self.answer_headers.clone()), &self.comparable(ours))?;
        // The driver drops the body of an answer to HEAD.
        if self.method == "HEAD" || self.is_cut() {
            return Ok(());
        }
        match (props(&self.answer), props(&body)) {
            (Some(theirs), Some(ours)) => compare_props(theirs, ours),
            _ => same(&anonymous(&self.answer), &anonymous(&body)),
        }
    }

    /// The probe kept only the beginning of some bodies.
    fn is_cut(&self) -> bool {
        let length = self.answer_headers.get("content-length").and_then(|length| length.parse().ok());
        length.is_some_and(|length: usize| self.answer.len() < length)
    }

    fn comparable(&self, mut headers: BTreeMap<String, String>) -> BTreeMap<String, String> {
        for (name, value) in &mut headers {
            match name.as_str() {
                "x-riak-vclock" | "etag" | "last-modified" => "<some>".clone_into(value),
                "content-type" => *value = value.split("boundary=").next().unwrap_or_default().to_owned(),
                "location" => *value = value.rsplit_once('/').expect("a path").0.to_owned(),
                _ => {}
            }
        }
        // Tags, contexts and properties have no fixed length, and bodies are compared anyway.
        if self.status == 300 || context(&self.answer).is_some() || self.answer.starts_with(PROPS) {
            headers.remove("content-length");
        }
        // Riak says or omits these without a rule when it refuses.
        if self.status >= 400 {
            headers.remove("vary");
            headers.remove("content-type");
        }
        headers
    }
}

fn same<T: PartialEq + Debug>(theirs: &T, ours: &T) -> Result<(), String> {
    if theirs == ours { Ok(()) } else { Err(format!("theirs: {theirs:?}\nours:   {ours:?}\n")) }
}

/// How an answer with properties begins.
const PROPS: &str = "{\"props\":";

/// The properties that are shown; their order is nobody's.
fn props(body: &str) -> Option<BTreeMap<String, Value>> {
    let shown: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(body).ok()?;
    shown.get("props").cloned()
}

/// DW is what W is, on purpose, and nodes have names of their own: see docs/riak.md.
fn compare_props(
    mut theirs: BTreeMap<String, Value>,
    mut ours: BTreeMap<String, Value>,
) -> Result<(), String> {
    theirs.remove("dw").expect("Riak shows it");
    let dw = ours.remove("dw");
    same(&ours.get("w"), &dw.as_ref())?;
    for props in [&mut theirs, &mut ours] {
        props.entry("claimant".to_owned()).and_modify(|node| *node = Value::Null);
    }
    same(&theirs, &ours)
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.trim().split_once(':')?;
    Some((name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// What a data type is shown with.
fn context(body: &str) -> Option<&str> {
    body.split_once("\"context\":\"")?.1.split('"').next()
}

fn learn_listed_tags(theirs: &str, ours: &str, names: &mut Names) {
    if theirs.starts_with("Siblings:") {
        theirs.lines().zip(ours.lines()).skip(1).for_each(|(theirs, ours)| names.learn(theirs, ours));
    }
}

/// A body without the names that differ by nature.
fn anonymous(body: &str) -> String {
    let shown = context(body).map(|context| body.replace(context, "<some>"));
    let body = shown.as_deref().unwrap_or(body);
    let listed = body.starts_with("Siblings:\n");
    let anonymous = |line: &str| match line {
        "Siblings:" | "" => line.to_owned(),
        _ if listed => "<tag>".to_owned(),
        _ if line.starts_with("--") && line.ends_with("--") => "<last boundary>".to_owned(),
        _ if line.starts_with("--") => "<boundary>".to_owned(),
        _ => match line.split_once(": ") {
            Some((name @ ("Etag" | "Last-Modified"), _)) => format!("{name}: <some>"),
            _ => line.to_owned(),
        },
    };
    let split = if listed { "\n" } else { "\r\n" };
    body.split(split).map(anonymous).collect::<Vec<_>>().join(split)
}
