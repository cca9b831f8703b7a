//! Which runs a sweep makes, and what each is called.

use std::ops::Range;
use std::path::Path;

use cartwheel_sim::fuzz::Shard;
use cartwheel_sim::{Report, Scenario};
use toml::Table;

use super::frame::{About, Cell, Column, Frame, Kind, RUN};
use super::measure::{Measure, measures};
use super::vary::Vary;

/// Most combinations of values.
const COMBINATIONS_MAX: usize = 100_000;

/// All runs: each combination of the values, the first setting varying slowest, with each seed.
pub struct Plan {
    scenarios: Vec<Scenario>,
    /// What the varied settings are in each of the scenarios.
    settings: Vec<Vec<Cell>>,
    seeds: Range<u64>,
    columns: Vec<Column>,
    measures: Vec<Measure>,
    about: About,
}

impl Plan {
    /// Every combination is read as a scenario file is, so that none fails after hours.
    pub fn new(path: &Path, varied: &[Vary], seeds: Range<u64>) -> Result<Self, String> {
        if let Some(twice) = (1..varied.len()).find(|&at| is_among(&varied[..at], &varied[at])) {
            return Err(format!("--vary {}: it is there twice", varied[twice].path()));
        }
        if i64::try_from(seeds.end).is_err() {
            return Err(format!("--seeds: up to {}; allowed: up to {}", seeds.end, i64::MAX));
        }
        // The file must be right before anything in it is changed: its own mistakes have a line.
        Scenario::load(path).map_err(|error| error.to_string())?;
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("{file}: cannot read it: {error}"))?;
        let base: Table =
            text.parse().map_err(|error: toml::de::Error| format!("{file}: {}", error.message()))?;
        let cells: Vec<Vec<Cell>> = varied.iter().map(Vary::cells).collect();
        let (mut scenarios, mut settings) = (Vec::new(), Vec::new());
        for combination in combinations(varied)? {
            scenarios.push(scenario(&file, &base, varied, &combination)?);
            settings
                .push(cells.iter().zip(&combination).map(|(cells, index)| cells[*index].clone()).collect());
        }
        let about = about(path, &text, varied, &seeds, scenarios.len());
        let measures = measures();
        let columns = columns(varied, &measures);
        Ok(Self { scenarios, settings, seeds, columns, measures, about })
    }

    /// How many runs.
    pub fn runs(&self) -> u64 {
        (self.scenarios.len() as u64).saturating_mul(self.seeds.end - self.seeds.start)
    }

    /// The runs of `shard`, by number.
    pub fn runs_of(&self, shard: Shard) -> impl Iterator<Item = u64> + Clone + Send + use<> {
        shard.seeds(0..self.runs())
    }

    /// Makes run `run`.
    pub fn run(&self, run: u64) -> Report {
        let (combination, seed) = self.find(run);
        cartwheel_sim::run(&self.scenarios[combination], seed)
    }

    /// The row of `run`, which had `report`.
    pub fn row(&self, run: u64, report: &Report) -> Vec<Cell> {
        let (combination, seed) = self.find(run);
        let mut row = Vec::with_capacity(self.columns.len());
        row.push(Cell::count(run));
        row.extend(self.settings[combination].iter().cloned());
        row.push(Cell::count(seed));
        row.extend(self.measures.iter().map(|measure| measure.cell(report)));
        row
    }

    /// The table that `rows` make.
    pub fn frame(&self, rows: Vec<Vec<Cell>>) -> Frame {
        Frame { columns: self.columns.clone(), rows, about: self.about.clone() }
    }

    fn find(&self, run: u64) -> (usize, u64) {
        let seeds = self.seeds.end - self.seeds.start;
        ((run / seeds) as usize, self.seeds.start + run % seeds)
    }
}

fn is_among(earlier: &[Vary], vary: &Vary) -> bool {
    earlier.iter().any(|other| other.path() == vary.path())
}

fn columns(varied: &[Vary], measures: &[Measure]) -> Vec<Column> {
    let is_taken = |name: &str| {
        [RUN, "seed"].contains(&name) || measures.iter().any(|measure| measure.column.name == name)
    };
    let mut columns = vec![Column::new(RUN, Kind::Int)];
    columns.extend(varied.iter().map(|vary| vary.column(is_taken)));
    columns.push(Column::new("seed", Kind::Int));
    columns.extend(measures.iter().map(|measure| measure.column.clone()));
    columns
}

/// What the file tells about itself. Nothing of it depends on the shard or the machine, so shards agree on it, and what
/// they are merged to is what one machine would have written.
fn about(path: &Path, text: &str, varied: &[Vary], seeds: &Range<u64>, combinations: usize) -> About {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let varied: String = varied.iter().map(|vary| format!(" --vary {vary}")).collect();
    let command = format!("cartwheel sweep {name}{varied} --seeds {}..{}", seeds.start, seeds.end);
    let rows = (combinations as u64).saturating_mul(seeds.end - seeds.start);
    let of = |name: &str, value: String| (format!("cartwheel.{name}"), value);
    vec![
        of("version", env!("CARGO_PKG_VERSION").to_owned()),
        of("command", command),
        of("rows", rows.to_string()),
        of("scenario", text.to_owned()),
    ]
}

fn scenario(file: &str, base: &Table, varied: &[Vary], combination: &[usize]) -> Result<Scenario, String> {
    let mut table = base.clone();
    let mut settings = Vec::new();
    for (vary, &index) in varied.iter().zip(combination) {
        vary.apply(index, &mut table).map_err(|error| format!("--vary {error}"))?;
        settings.push(format!("{} = {}", vary.path(), vary.values()[index]));
    }
    let with = if settings.is_empty() { String::new() } else { format!(" with {}", settings.join(", ")) };
    Scenario::of_table(&format!("{file}{with}"), table).map_err(|error| error.to_string())
}

/// The index of a value for each of `varied`, in all combinations.
fn combinations(varied: &[Vary]) -> Result<Vec<Vec<usize>>, String> {
    let count = varied.iter().try_fold(1_usize, |count, vary| count.checked_mul(vary.values().len()));
    let count = count.filter(|count| *count <= COMBINATIONS_MAX);
    let Some(count) = count else {
        return Err(format!("--vary: too many combinations; allowed: up to {COMBINATIONS_MAX}"));
    };
    let of = |mut number: usize| {
        let mut indices: Vec<usize> = varied
            .iter()
            .rev()
            .map(|vary| {
                let index = number % vary.values().len();
                number /= vary.values().len();
                index
            })
            .collect();
        indices.reverse();
        indices
    };
    Ok((0..count).map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_setting_varies_slowest() {
        let varied: Vec<Vary> = ["r=1,2", "w=1,2,3"].iter().map(|text| text.parse().unwrap()).collect();
        let all = combinations(&varied).unwrap();
        assert_eq!(all, [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        assert_eq!(combinations(&[]).unwrap(), [[0_usize; 0]]);
        let many: Vec<Vary> = ["r=0..100000", "w=0..2"].iter().map(|text| text.parse().unwrap()).collect();
        assert!(combinations(&many).is_err());
    }
}
