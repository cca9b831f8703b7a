//! Values as Erlang prints them: `riak admin` shows properties so.

use serde_json::Value;

/// A property's value. Words are atoms, functions are pairs.
pub fn term(value: &Value) -> String {
    match value {
        Value::String(text) => atom(text),
        Value::Array(items) => format!("[{}]", items.iter().map(term).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => match (fields.get("mod"), fields.get("fun")) {
            (Some(module), Some(function)) if fields.len() == 2 => {
                format!("{{{},{}}}", term(module), term(function))
            }
            _ => {
                let pair = |(name, value): (&String, &Value)| format!("{{<<{name:?}>>,{}}}", term(value));
                format!("[{}]", fields.iter().map(pair).collect::<Vec<_>>().join(","))
            }
        },
        plain => plain.to_string(),
    }
}

/// Quoted where it would be something else without.
fn atom(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '@'));
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn properties_look_as_in_riaks_console() {
        let shown = [
            (json!(20), "20"),
            (json!(true), "true"),
            (json!("quorum"), "quorum"),
            (json!("riak@127.0.0.1"), "'riak@127.0.0.1'"),
            (json!([]), "[]"),
            (
                json!({ "mod": "riak_core_util", "fun": "chash_std_keyfun" }),
                "{riak_core_util,chash_std_keyfun}",
            ),
        ];
        for (value, expected) in shown {
            assert_eq!(term(&value), expected);
        }
    }
}
