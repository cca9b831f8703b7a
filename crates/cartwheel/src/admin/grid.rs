//! Tables as `riak admin security` draws them.

use std::fmt;

/// Columns of at least some width, and rows whose cells may have several lines.
pub struct Grid {
    head: Vec<(&'static str, usize)>,
    rows: Vec<Vec<Vec<String>>>,
}

impl Grid {
    /// Each column with its name and its least width.
    pub fn new(head: &[(&'static str, usize)]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// A row; a cell is a list of words, which is broken into lines.
    pub fn row(&mut self, cells: Vec<Vec<String>>) {
        let widths = self.head.iter().map(|(_, width)| *width);
        self.rows.push(cells.into_iter().zip(widths).map(|(words, width)| lines(&words, width)).collect());
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |column: usize| {
            let lines = self.rows.iter().flat_map(|row| &row[column]).map(|line| line.chars().count());
            lines.max().unwrap_or(0)
        };
        self.head.iter().enumerate().map(|(column, (_, least))| widest(column).max(*least)).collect()
    }
}

/// Words, as many to a line as fit.
fn lines(words: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let line = lines.last_mut().expect("never empty");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + word.chars().count() + 3 <= width {
            line.push_str(", ");
            line.push_str(word);
        } else {
            line.push(',');
            lines.push(word.clone());
        }
    }
    lines
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let rule = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("+");
        let line = |cells: Vec<&str>| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:^width$}"));
            format!("|{}|", cells.collect::<Vec<_>>().join("|"))
        };
        writeln!(f, "+{rule}+")?;
        writeln!(f, "{}", line(self.head.iter().map(|(name, _)| *name).collect()))?;
        writeln!(f, "+{rule}+")?;
        for row in &self.rows {
            let height = row.iter().map(Vec::len).max().unwrap_or(0);
            for at in 0..height {
                let cell = |cell: &'_ Vec<String>| cell.get(at).cloned().unwrap_or_default();
                let cells: Vec<String> = row.iter().map(cell).collect();
                writeln!(f, "{}", line(cells.iter().map(String::as_str).collect()))?;
            }
        }
        write!(f, "+{rule}+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_frame_and_long_lists_are_broken() {
        let mut grid = Grid::new(&[("type", 6), ("grants", 26)]);
        let words = ["riak_kv.delete", "riak_kv.get", "riak_kv.put"].map(str::to_owned).to_vec();
        grid.row(vec![vec!["ANY".to_owned()], words]);
        let drawn = [
            "+------+--------------------------+",
            "| type |          grants          |",
            "+------+--------------------------+",
            "| ANY  |     riak_kv.delete,      |",
            "|      | riak_kv.get, riak_kv.put |",
            "+------+--------------------------+",
        ];
        assert_eq!(grid.to_string(), drawn.join("\n"));
    }
}
