//! Rows and typed columns.

use std::borrow::Cow;

/// The column that numbers the rows of a sweep, from 0, in the same way in each of its shards.
pub const RUN: &str = "run";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Float,
    Bool,
    Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A value of its column's kind, or none.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
}

/// A table, and what it tells about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    pub about: About,
}

/// What made a table, by names; empty where a format cannot say it.
pub type About = Vec<(String, String)>;

impl Column {
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

impl Kind {
    /// Reads a cell. `None`: it is of another kind.
    pub fn read(self, text: &str) -> Option<Cell> {
        if text.is_empty() {
            return Some(Cell::Null);
        }
        match self {
            Self::Int => text.parse().ok().map(Cell::Int),
            Self::Float => text.parse().ok().map(Cell::Float),
            Self::Bool => text.parse().ok().map(Cell::Bool),
            Self::Text => Some(Cell::Text(text.to_owned())),
        }
    }

    /// The narrowest kind that all `texts` are of.
    pub fn of<'a>(texts: &(impl Iterator<Item = &'a str> + Clone)) -> Self {
        let narrow = [Self::Bool, Self::Int, Self::Float].into_iter();
        let mut fitting = narrow.filter(|kind| texts.clone().all(|text| kind.read(text).is_some()));
        fitting.next().unwrap_or(Self::Text)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Bool => "true or false",
            Self::Text => "text",
        }
    }
}

impl Cell {
    /// A count. What no table can hold is the largest that one can.
    pub fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// As it stands in a text file. Floats keep their point, and every digit that tells them from others.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Float(value) => Cow::Owned(format!("{value:?}")),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Text(value) => Cow::Borrowed(value),
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Null | Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

impl Frame {
    /// Where the column called `name` is.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Row `index` as a line of JSON.
    pub fn json(&self, index: usize) -> String {
        let cells = self.columns.iter().zip(&self.rows[index]).map(|(column, cell)| {
            let value = match cell {
                Cell::Null => serde_json::Value::Null,
                Cell::Int(value) => (*value).into(),
                Cell::Float(value) => (*value).into(),
                Cell::Bool(value) => (*value).into(),
                Cell::Text(value) => value.as_str().into(),
            };
            format!("{}:{value}", serde_json::Value::from(column.name.as_str()))
        });
        format!("{{{}}}", cells.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_survives_its_text() {
        for (kind, cell) in [
            (Kind::Int, Cell::Int(-3)),
            (Kind::Float, Cell::Float(0.1 + 0.2)),
            (Kind::Float, Cell::Float(1.0)),
            (Kind::Bool, Cell::Bool(true)),
            (Kind::Text, Cell::Text("a, \"b\"".into())),
            (Kind::Int, Cell::Null),
        ] {
            assert_eq!(kind.read(&cell.text()), Some(cell));
        }
        assert_eq!(Kind::Int.read("1.5"), None);
    }

    #[test]
    fn kinds_are_as_narrow_as_all_texts_allow() {
        let of = |texts: &[&str]| Kind::of(&texts.iter().copied());
        assert_eq!(of(&["1", "", "3"]), Kind::Int);
        assert_eq!(of(&["1.0", "3"]), Kind::Float);
        assert_eq!(of(&["true", "false"]), Kind::Bool);
        assert_eq!(of(&["1", "quorum"]), Kind::Text);
    }

    #[test]
    fn a_row_is_a_line_of_json_in_the_order_of_its_columns() {
        let columns = vec![Column::new("run", Kind::Int), Column::new("a", Kind::Text)];
        let rows = vec![vec![Cell::Int(0), Cell::Text("\"".into())]];
        let frame = Frame { columns, rows, about: Vec::new() };
        assert_eq!(frame.json(0), r#"{"run":0,"a":"\""}"#);
    }
}
