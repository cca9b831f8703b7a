//! Columns for people.

use std::fmt;

/// Rows of cells; numbers stand at the right of their columns.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new<const COLUMNS: usize>(head: [&str; COLUMNS]) -> Self {
        Self { rows: vec![head.map(str::to_owned).into()] }
    }

    /// As many columns as `head` has.
    pub fn of(head: Vec<String>) -> Self {
        Self { rows: vec![head] }
    }

    /// A row of as many cells as the head has.
    pub fn push(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.rows[0].len());
        self.rows.push(cells);
    }

    pub fn row<const COLUMNS: usize>(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells.into());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let is_number = |column: usize| {
            let cells = self.rows[1..].iter().map(|row| row[column].as_str());
            !self.is_empty()
                && cells.clone().all(|cell| cell.is_empty() || cell.starts_with(|c: char| c.is_ascii_digit()))
        };
        let shape: Vec<(usize, bool)> =
            (0..columns).map(|column| (width(column), is_number(column))).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&shape).map(|(cell, &(width, is_number))| {
                if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            let end = if index + 1 == self.rows.len() { "" } else { "\n" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new(["node", "owns", "zone"]);
        table.row(["n1".into(), "7".into(), String::new()]);
        table.row(["n10".into(), "12".into(), "east".into()]);
        assert_eq!(table.to_string(), "node  owns  zone\nn1       7\nn10     12  east");
    }
}
