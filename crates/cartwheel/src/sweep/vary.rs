//! `--vary PATH=VALUES`: what differs between the runs of a sweep.

use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

use super::frame::{Cell, Column, Kind};

/// Keys that a scenario file has at its top and that make sense to vary; every other bare name is one of `[cluster]`.
const TOP: [&str; 2] = ["duration", "settle"];

/// Most values that one range may have.
const RANGE_MAX: i64 = 100_000;

/// One setting, and the values that it takes in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    path: Vec<Step>,
    values: Vec<Value>,
    /// The values as they were written.
    text: String,
}

/// One step down into a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl FromStr for Vary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, values) = text
            .split_once('=')
            .ok_or("allowed: PATH=VALUE,VALUE,... such as r=1,2,3 or network.loss=0,0.01")?;
        let values = values.trim();
        let path = steps(path.trim())?;
        let text = values.to_owned();
        let values = if let Some(range) = range(values)? { range } else { list(values)? };
        Ok(Self { path, values, text })
    }
}

impl Vary {
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Where it is in a scenario, as messages of the scenario's loader say it.
    pub fn path(&self) -> String {
        self.path.iter().fold(String::new(), |path, step| match step {
            Step::Key(key) if path.is_empty() => key.clone(),
            Step::Key(key) => format!("{path}.{key}"),
            Step::Index(index) => format!("{path}[{index}]"),
        })
    }

    /// Its name, bare where it is one of the cluster's.
    fn name(&self) -> String {
        let path = self.path().replace(['.', '['], "_").replace(']', "");
        path.strip_prefix("cluster_").map_or(path.clone(), str::to_owned)
    }

    /// Its column; `is_taken` are names that measures have.
    pub fn column(&self, is_taken: impl Fn(&str) -> bool) -> Column {
        let name = self.name();
        let name = if is_taken(&name) { self.path().replace('.', "_") } else { name };
        match self.typed() {
            Typed::Times { unit, .. } => Column::new(format!("{name}_{unit}"), Kind::Int),
            Typed::Plain(kind) => Column::new(name, kind),
        }
    }

    /// The values as they stand in the column.
    pub fn cells(&self) -> Vec<Cell> {
        let typed = self.typed();
        self.values.iter().map(|value| cell(&typed, value)).collect()
    }

    /// Sets it to value `index` in a scenario. Whether the scenario then makes sense, its loader says.
    pub fn apply(&self, index: usize, scenario: &mut Table) -> Result<(), String> {
        let mut place = Place::Table(scenario);
        let Some((last, way)) = self.path.split_last() else { return Ok(()) };
        for step in way {
            place = place.go(step).ok_or_else(|| self.nowhere(step))?;
        }
        place.set(last, self.values[index].clone()).ok_or_else(|| self.nowhere(last))
    }

    fn nowhere(&self, step: &Step) -> String {
        let step = match step {
            Step::Key(key) => format!("`{key}`"),
            Step::Index(index) => format!("[{index}]"),
        };
        format!("{}: there is no {step} in the scenario", self.path())
    }

    fn typed(&self) -> Typed {
        let all = |is_so: fn(&Value) -> bool| self.values.iter().all(is_so);
        let is_number = |value: &Value| matches!(value, Value::Integer(_) | Value::Float(_));
        if all(|value| duration_ns(value).is_some()) {
            let whole = all(|value| duration_ns(value).is_some_and(|ns| ns % 1_000 == 0));
            return if whole {
                Typed::Times { unit: "us", ns: 1_000 }
            } else {
                Typed::Times { unit: "ns", ns: 1 }
            };
        }
        Typed::Plain(if all(Value::is_integer) {
            Kind::Int
        } else if all(is_number) {
            Kind::Float
        } else if all(Value::is_bool) {
            Kind::Bool
        } else {
            Kind::Text
        })
    }
}

/// What the values are.
enum Typed {
    /// Durations, in a unit of so many nanoseconds.
    Times {
        unit: &'static str,
        ns: u32,
    },
    Plain(Kind),
}

fn cell(typed: &Typed, value: &Value) -> Cell {
    match (typed, value) {
        (Typed::Times { ns, .. }, value) => {
            let times = duration_ns(value).unwrap_or(0) / u128::from(*ns);
            Cell::count(u64::try_from(times).unwrap_or(u64::MAX))
        }
        (Typed::Plain(Kind::Int), Value::Integer(value)) => Cell::Int(*value),
        (Typed::Plain(Kind::Float), Value::Integer(value)) => Cell::Float(*value as f64),
        (Typed::Plain(Kind::Float), Value::Float(value)) => Cell::Float(*value),
        (Typed::Plain(Kind::Bool), Value::Boolean(value)) => Cell::Bool(*value),
        (_, Value::String(text)) => Cell::Text(text.clone()),
        (_, value) => Cell::Text(value.to_string()),
    }
}

fn duration_ns(value: &Value) -> Option<u128> {
    Some(humantime::parse_duration(value.as_str()?).ok()?.as_nanos())
}

/// As it may be typed again.
impl fmt::Display for Vary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}={}", self.path(), self.text);
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.,=:/".contains(letter);
        if text.chars().all(is_plain) {
            f.write_str(&text)
        } else {
            write!(f, "'{}'", text.replace('\'', "'\\''"))
        }
    }
}

/// Somewhere in a scenario.
enum Place<'a> {
    Table(&'a mut Table),
    Array(&'a mut Vec<Value>),
}

impl<'a> Place<'a> {
    /// One step down. A table that is not there yet is made; an element of an array is not.
    fn go(self, step: &Step) -> Option<Self> {
        let value = match (self, step) {
            (Self::Table(table), Step::Key(key)) => {
                table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()))
            }
            (Self::Array(array), Step::Index(index)) => array.get_mut(*index)?,
            _ => return None,
        };
        match value {
            Value::Table(table) => Some(Self::Table(table)),
            Value::Array(array) => Some(Self::Array(array)),
            _ => None,
        }
    }

    fn set(self, step: &Step, value: Value) -> Option<()> {
        match (self, step) {
            (Self::Table(table), Step::Key(key)) => {
                table.insert(key.clone(), value);
                Some(())
            }
            (Self::Array(array), Step::Index(index)) => {
                *array.get_mut(*index)? = value;
                Some(())
            }
            _ => None,
        }
    }
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("`{path}` is no path; allowed: such as r, network.loss, fault[0].crash.node");
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
        let is_key = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if key.is_empty() || !key.chars().all(is_key) {
            return Err(wrong());
        }
        steps.push(Step::Key(key.to_owned()));
        for index in indices.split('[').skip(1) {
            let index = index.strip_suffix(']').and_then(|index| index.parse().ok()).ok_or_else(wrong)?;
            steps.push(Step::Index(index));
        }
    }
    match &steps[..] {
        [Step::Key(key)] if key == "seed" => Err("allowed: anything but seed; --seeds says the seeds".into()),
        [Step::Key(key)] if !TOP.contains(&key.as_str()) => {
            Ok(vec![Step::Key("cluster".into()), Step::Key(key.clone())])
        }
        _ => Ok(steps),
    }
}

/// `A..B` (without B) or `A..=B` (with B), as Rust has them.
fn range(text: &str) -> Result<Option<Vec<Value>>, String> {
    let Some((from, to)) = text.split_once("..") else { return Ok(None) };
    let (to, is_inclusive) = to.strip_prefix('=').map_or((to, false), |to| (to, true));
    let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) else { return Ok(None) };
    let end = to.saturating_add(i64::from(is_inclusive));
    if !(1..=RANGE_MAX).contains(&end.saturating_sub(from)) {
        return Err(format!(
            "{text} is no range of 1 to {RANGE_MAX} numbers; allowed: such as 1..4 (1, 2, 3) or 1..=3"
        ));
    }
    Ok(Some((from..end).map(Value::Integer).collect()))
}

/// Values with commas between them: as TOML has them, or bare words.
fn list(text: &str) -> Result<Vec<Value>, String> {
    let values: Vec<Value> = split(text).into_iter().map(str::trim).map(value).collect::<Result<_, _>>()?;
    if values.iter().enumerate().any(|(index, value)| values[..index].contains(value)) {
        return Err("a value is there twice".into());
    }
    Ok(values)
}

fn value(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("a value is missing; allowed: PATH=VALUE,VALUE,...".into());
    }
    let parsed = format!("value = {text}").parse::<Table>().ok().filter(|table| table.len() == 1);
    let parsed = parsed.and_then(|mut table| table.remove("value"));
    match parsed {
        Some(value) => Ok(value),
        // What TOML would have with quotes: durations and words.
        None if !text.contains(['"', '\'', '{', '}', '[', ']', '\n']) => Ok(Value::String(text.to_owned())),
        None => Err(format!("`{text}` is no value; allowed: as TOML has them, or bare words and durations")),
    }
}

/// At commas that are in no quotes and no brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests;
