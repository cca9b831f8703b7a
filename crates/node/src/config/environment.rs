//! Settings from the environment: `CARTWHEEL_SET_HTTP=0.0.0.0:8098` wins over `http` in the file.
//!
//! Two underscores go into a table: `CARTWHEEL_SET_TLS__CA`. A value is what TOML takes it for (a number, `true`, an inline
//! table or array), or else text.

use toml::{Table, Value};

use super::{ConfigFile, keyed, parse};

/// Before the names of all settings.
pub(super) const PREFIX: &str = "CARTWHEEL_SET_";

/// The file `text` with the settings of `environment` in their places.
///
/// # Errors
///
/// One line on the first thing that is wrong: with the file, or with a variable.
pub(super) fn with(
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<ConfigFile, String> {
    // Without any, mistakes are told with their lines.
    let file = parse(text)?;
    let mut table: Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let mut settings: Vec<(String, String)> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .collect();
    if settings.is_empty() {
        return Ok(file);
    }
    settings.sort();
    let mut merged = file;
    for (name, value) in settings {
        let path: Vec<String> = name.split("__").map(str::to_ascii_lowercase).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let why = |why: String| format!("{PREFIX}{name}={value:?} (environment): {why}");
        let tried = candidates(&value).into_iter().map(|value| {
            let mut changed = table.clone();
            put(&mut changed, &path, value)?;
            let file = ConfigFile::deserialize_whole(changed.clone())?;
            Ok((changed, file))
        });
        let mut first_error = None;
        let mut found = None;
        for attempt in tried {
            match attempt {
                Ok(it) => {
                    found = Some(it);
                    break;
                }
                Err(error) => _ = first_error.get_or_insert(error),
            }
        }
        match found {
            Some((changed, file)) => (table, merged) = (changed, file),
            None => return Err(why(first_error.unwrap_or_default())),
        }
    }
    Ok(merged)
}

/// What a value may mean: what TOML takes it for, and text.
fn candidates(value: &str) -> Vec<Value> {
    let read = toml::from_str::<Table>(&format!("v = {value}")).ok();
    let read = read.filter(|table| table.len() == 1).and_then(|mut table| table.remove("v"));
    read.into_iter().chain([Value::String(value.to_owned())]).collect()
}

fn put(table: &mut Table, path: &[&str], value: Value) -> Result<(), String> {
    match path {
        [] => Ok(()),
        [name] => {
            table.insert((*name).to_owned(), value);
            Ok(())
        }
        [name, rest @ ..] => {
            let inner = table.entry((*name).to_owned()).or_insert_with(|| Value::Table(Table::new()));
            match inner {
                Value::Table(inner) => put(inner, rest, value),
                _ => Err(format!("{name} is no table")),
            }
        }
    }
}

impl ConfigFile {
    fn deserialize_whole(table: Table) -> Result<Self, String> {
        serde_path_to_error::deserialize(Value::Table(table))
            .map_err(|error| keyed(&error.path().to_string(), error.inner()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        cluster = "shop"
        node = "n1"
        data = "data"
        http = "127.0.0.1:8098"
        peer = "127.0.0.1:8099"
        n = 1
        [[member]]
        name = "n1"
        peer = "127.0.0.1:8099"
    "#;

    fn set(pairs: &[(&str, &str)]) -> Result<ConfigFile, String> {
        with(FILE, pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = set(&[
            ("CARTWHEEL_SET_HTTP", "0.0.0.0:80"),
            ("CARTWHEEL_SET_NODE", "7"),
            ("CARTWHEEL_SET_W", "all"),
            ("CARTWHEEL_SET_PARTITIONS", "128"),
            ("CARTWHEEL_SET_MEMBER", r#"[{ name = "7", peer = "n7.example.org:8099" }]"#),
            ("PATH", "/bin"),
        ])
        .expect("valid");
        assert_eq!(
            (file.http.to_string(), file.node.as_str(), file.partitions),
            ("0.0.0.0:80".into(), "7", 128)
        );
        assert_eq!(file.members[0].peer.to_string(), "n7.example.org:8099");
        assert_eq!(set(&[]), parse(FILE));
    }

    #[test]
    fn what_is_wrong_is_told_with_the_variable() {
        for (name, value, words) in [
            ("CARTWHEEL_SET_PARTITION", "8", "unknown field `partition`"),
            ("CARTWHEEL_SET_PARTITIONS", "many", "partitions: invalid type: string \"many\""),
            ("CARTWHEEL_SET_HTTP__PORT", "1", "http is no table"),
        ] {
            let why = set(&[(name, value)]).expect_err("refused");
            assert!(
                why.starts_with(&format!("{name}={value:?} (environment): ")) && why.contains(words),
                "{why}"
            );
            assert_eq!(why.lines().count(), 1);
        }
    }
}
