//! Writing a scenario file as a person would: what goes without saying is not said.

use toml::{Table, Value};

use super::{KindSpec, Scenario};

/// Sections of which only what differs from the defaults is written.
const SECTIONS: [&str; 6] = ["cluster", "network", "disk", "clock", "workload", "expect"];

impl Scenario {
    /// As a file, which reads as this scenario.
    pub fn to_file(&self) -> String {
        let whole = table(self);
        let usual = self.usual();
        let mut text = String::new();
        for key in ["name", "about", "seed", "duration", "settle"] {
            if let Some(value) = whole.get(key) {
                text += &format!("{key} = {value}\n");
            }
        }
        for section in SECTIONS {
            let Some(Value::Table(values)) = whole.get(section) else { continue };
            let usual = usual.get(section).and_then(Value::as_table).cloned().unwrap_or_default();
            write_section(&mut text, section, values, &usual);
        }
        if let Some(Value::Table(nemesis)) = whole.get("nemesis") {
            write_section(&mut text, "nemesis", nemesis, &Table::new());
        }
        for list in ["visit", "fault"] {
            for entry in whole.get(list).and_then(Value::as_array).into_iter().flatten() {
                write_entry(&mut text, list, entry);
            }
        }
        text
    }

    /// What is read where a file says nothing but what it must.
    fn usual(&self) -> Table {
        let least = format!(
            "name = \"\"\nabout = \"\"\nduration = \"1s\"\nsettle = \"1s\"\ncluster = {{ nodes = {} }}\n\
             workload.{} = {{ clients = 1, {} = 1, rate = 1{} }}",
            u32::MAX,
            self.workload.kind.name(),
            self.workload.kind.keys_name(),
            match self.workload.kind {
                KindSpec::Ycsb { .. } => ", mix = \"a\"",
                KindSpec::DataTypes { .. } => ", of = \"counter\"",
                _ => "",
            },
        );
        // The number of nodes is always said; so is what a workload must say.
        let mut usual = toml::from_str::<Self>(&least).map(|usual| table(&usual)).unwrap_or_default();
        let workload = usual.get_mut("workload").and_then(|kinds| kinds.get_mut(self.workload.kind.name()));
        if let Some(Value::Table(workload)) = workload {
            for key in ["clients", self.workload.kind.keys_name(), "rate", "mix", "of"] {
                workload.remove(key);
            }
        }
        usual
    }
}

fn table(scenario: &Scenario) -> Table {
    Table::try_from(scenario).unwrap_or_default()
}

fn write_section(text: &mut String, name: &str, values: &Table, usual: &Table) {
    let (mut lines, mut inner) = (String::new(), String::new());
    for (key, value) in values.iter().filter(|(key, value)| usual.get(*key) != Some(value)) {
        match value {
            Value::Table(values) if name == "workload" || name == "expect" => {
                let usual = usual.get(key).and_then(Value::as_table).cloned().unwrap_or_default();
                write_section(&mut inner, &format!("{name}.{key}"), values, &usual);
            }
            _ => lines += &format!("{key} = {value}\n"),
        }
    }
    if !lines.is_empty() {
        *text += &format!("\n[{name}]\n{lines}");
    }
    *text += &inner;
}

fn write_entry(text: &mut String, list: &str, entry: &Value) {
    *text += &format!("\n[[{list}]]\n");
    for (key, value) in entry.as_table().into_iter().flatten() {
        *text += &format!("{key} = {value}\n");
    }
}

#[cfg(test)]
mod tests {
    use crate::{run_and_spell_out, swarm};

    #[test]
    fn what_is_written_reads_as_it_was() {
        for seed in 0..30 {
            let scenario = swarm::scenario(seed);
            assert_eq!(scenario.to_file().parse().as_ref(), Ok(&scenario), "{}", scenario.to_file());
        }
        let (_, explicit) = run_and_spell_out(&swarm::scenario(3), 3);
        assert_eq!(explicit.to_file().parse(), Ok(explicit));
    }
}
