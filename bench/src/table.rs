//! Results for people.

use std::fmt;

use crate::results::{Fresh, Results, Speed};

const SPEED: [&str; 9] = [
    "world",
    "nodes",
    "clients",
    "messages/s",
    "events/s",
    "sim s/CPU s",
    "sim s/wall s",
    "below bare, messages",
    "events",
];
const FRESH: [&str; 2] = ["world", "fresh worlds/s"];

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Per CPU second, median of {} rounds. Read the ratios: how many times the bare loop is faster.\n",
            self.rounds
        )?;
        write_columns(f, &SPEED, self.speed.iter().map(speed_cells))?;
        writeln!(f, "\nNew worlds of 1,000 operations each, per CPU second.\n")?;
        write_columns(f, &FRESH, self.fresh.iter().map(fresh_cells))?;
        writeln!(f)?;
        for goal in &self.goals {
            let met = if goal.met { "met" } else { "not met" };
            writeln!(f, "goal: {}: {} — {met}", goal.goal, goal.found)?;
        }
        Ok(())
    }
}

fn speed_cells(speed: &Speed) -> Vec<String> {
    let times = |ratio: f64| format!("{ratio:.1}x");
    vec![
        speed.world.to_owned(),
        speed.nodes.to_string(),
        speed.clients.to_string(),
        millions(speed.messages_per_cpu_second),
        speed.events_per_cpu_second.map_or_else(|| "-".to_owned(), millions),
        format!("{:.1}", speed.simulated_seconds_per_cpu_second),
        format!("{:.1}", speed.simulated_seconds_per_wall_second),
        times(speed.bare_by_messages),
        speed.bare_by_events.map_or_else(|| "-".to_owned(), times),
    ]
}

fn fresh_cells(fresh: &Fresh) -> Vec<String> {
    vec![fresh.world.to_owned(), format!("{:.1}", fresh.worlds_per_cpu_second)]
}

fn millions(rate: f64) -> String {
    format!("{:.3} M", rate / 1e6)
}

/// The first column stands left, numbers stand right.
fn write_columns(
    f: &mut fmt::Formatter<'_>,
    head: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> fmt::Result {
    let mut lines = vec![head.iter().copied().map(str::to_owned).collect::<Vec<_>>()];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for line in &lines {
        write!(f, "{:<width$}", line[0], width = widths[0])?;
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            write!(f, "  {cell:>width$}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}
