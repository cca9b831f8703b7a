//! A sweep for people: one line for each combination of settings, as the literature's tables have them.

use super::frame::{Cell, Frame, RUN};
use crate::table::Table;

/// What is told of the runs with one combination of settings.
#[derive(Default)]
struct Group<'a> {
    rows: Vec<&'a [Cell]>,
}

/// The table. Settings are the columns between the run's number and its seed.
pub fn summary(frame: &Frame) -> Option<Table> {
    let (run, seed) = (frame.position(RUN)?, frame.position("seed")?);
    let settings = run + 1..seed;
    let mut head: Vec<String> = settings.clone().map(|at| frame.columns[at].name.clone()).collect();
    head.extend(
        ["runs", "green", "availability", "lost writes", "stale reads", "stale", "get p99 ms", "put p99 ms"]
            .map(str::to_owned),
    );
    let mut table = Table::of(head);
    for group in groups(frame, &settings) {
        let first = group.rows.first()?;
        let sum = |name| group.sum(frame, name);
        let green = group.rows.iter().filter(|row| is_green(frame, row)).count();
        let (stale, gets) = (sum("stale_reads")?, sum("gets_succeeded")?);
        let mut cells: Vec<String> =
            first[settings.clone()].iter().map(|cell| cell.text().into_owned()).collect();
        cells.extend([
            group.rows.len().to_string(),
            green.to_string(),
            percent(group.mean(frame, "availability")),
            sum("lost_writes")?.to_string(),
            stale.to_string(),
            percent((gets > 0.0).then(|| stale / gets)),
            ms(group.mean(frame, "get_p99_us")),
            ms(group.mean(frame, "put_p99_us")),
        ]);
        table.push(cells);
    }
    Some(table)
}

/// Rows that follow each other and have the same settings.
fn groups<'a>(frame: &'a Frame, settings: &std::ops::Range<usize>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for row in &frame.rows {
        let belongs = |group: &&mut Group<'_>| {
            group.rows.last().is_some_and(|last| last[settings.clone()] == row[settings.clone()])
        };
        match groups.last_mut().filter(belongs) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { rows: vec![row] }),
        }
    }
    groups
}

impl Group<'_> {
    fn numbers(&self, frame: &Frame, name: &str) -> Option<Vec<f64>> {
        let at = frame.position(name)?;
        Some(self.rows.iter().filter_map(|row| row[at].number()).collect())
    }

    fn sum(&self, frame: &Frame, name: &str) -> Option<f64> {
        Some(self.numbers(frame, name)?.iter().sum())
    }

    /// Of those runs that have the number.
    fn mean(&self, frame: &Frame, name: &str) -> Option<f64> {
        let numbers = self.numbers(frame, name)?;
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    }
}

fn is_green(frame: &Frame, row: &[Cell]) -> bool {
    frame.position("verdict").is_some_and(|at| row[at].text() == "green")
}

fn percent(part: Option<f64>) -> String {
    part.map_or("-".into(), |part| format!("{:.3} %", part * 100.0))
}

fn ms(us: Option<f64>) -> String {
    us.map_or("-".into(), |us| format!("{:.2}", us / 1_000.0))
}
