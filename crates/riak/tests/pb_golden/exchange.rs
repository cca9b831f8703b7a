//! Recorded frames: one that asks, and those that answer.

use bytes::Bytes;
use cartwheel_riak::pb::frame::Frame;

/// One request of the recording.
#[derive(Debug)]
pub struct Exchange {
    pub name: String,
    pub request: Frame,
    pub answers: Vec<Recorded>,
}

/// What came back.
#[derive(Debug)]
pub enum Recorded {
    Frame(Frame),
    /// Too long to be kept whole: its code.
    Cut(#[allow(dead_code, reason = "not every test compares it")] u8),
    /// An error with a stack trace, and then the end.
    Crash,
    /// Nothing: the connection was closed, by this request or the one before.
    Closed,
}

/// `### NAME`, `> CODE HEX`, and lines with what came back: `< CODE HEX`, `< CODE cut`, `< 0 crash`, `< closed`.
pub fn parse_all(recorded: &str) -> Vec<Exchange> {
    recorded.split("### ").skip(1).map(parse).collect()
}

fn parse(text: &str) -> Exchange {
    let mut lines = text.lines();
    let name = lines.next().expect("a name").to_owned();
    let request = frame(lines.next().and_then(|line| line.strip_prefix("> ")).expect("a request"));
    let answers = lines.filter_map(|line| line.strip_prefix("< ")).map(recorded).collect();
    Exchange { name, request, answers }
}

fn recorded(line: &str) -> Recorded {
    match line {
        "closed" => Recorded::Closed,
        "0 crash" => Recorded::Crash,
        _ => match line.strip_suffix(" cut") {
            Some(code) => Recorded::Cut(code.parse().expect("a code")),
            None => Recorded::Frame(frame(line)),
        },
    }
}

fn frame(line: &str) -> Frame {
    let (code, hex) = line.split_once(' ').unwrap_or((line, ""));
    let digits: Vec<u8> = hex.bytes().map(|digit| (digit as char).to_digit(16).expect("hex") as u8).collect();
    let body: Bytes = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    Frame { code: code.parse().expect("a code"), body }
}
