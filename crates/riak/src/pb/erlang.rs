//! Terms as Erlang prints them: Riak's error texts are full of them, and clients match on the texts.

use std::fmt::Write;

/// A binary: `<<"text">>`, or `<<1,2,3>>` where it is no text.
pub fn binary(bytes: &[u8]) -> String {
    let is_text = |byte: &u8| (0x20..0x7f).contains(byte);
    let mut term = String::from("<<");
    if bytes.is_empty() || !bytes.iter().all(is_text) {
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        term.push_str(&numbers.join(","));
    } else {
        // Writing to a string cannot fail.
        _ = write!(term, "{:?}", String::from_utf8_lossy(bytes));
    }
    term + ">>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_look_as_in_riaks_logs() {
        let shown = [&b"bad"[..], b"say \"no\"", b"\x00\xff", b""].map(binary);
        assert_eq!(shown, ["<<\"bad\">>", "<<\"say \\\"no\\\"\">>", "<<0,255>>", "<<>>"]);
    }
}
