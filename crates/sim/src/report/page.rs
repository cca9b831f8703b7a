//! The report as one page to look at: no network, no build; the data as JSON, and the scripts beside this file.

mod data;

use std::io::{self, Write};

pub use self::data::Head;

use crate::report::Report;
use crate::scenario::Scenario;
use crate::trace::Recording;

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");

/// In the order in which they need each other.
const SCRIPTS: [&str; 7] = [
    include_str!("page/model.js"),
    include_str!("page/diagram.js"),
    include_str!("page/marks.js"),
    include_str!("page/charts.js"),
    include_str!("page/panel.js"),
    include_str!("page/input.js"),
    include_str!("page/start.js"),
];

/// Writes the page of one run.
pub fn write(
    scenario: &Scenario,
    report: &Report,
    recording: &Recording,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = format!("{}, seed {}", report.scenario, report.seed);
    write_under(&title, &Head::of(scenario, report, recording), recording, out)
}

/// Writes the page of a recording under any head; `title` is the window's.
pub fn write_under(title: &str, head: &Head, recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    let data = data::json(head, recording)?;
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out.write_all(before.as_bytes())?;
        match name {
            "TITLE" => out.write_all(escaped(title).as_bytes())?,
            "STYLE" => out.write_all(STYLE.as_bytes())?,
            "DATA" => out.write_all(data.as_bytes())?,
            "SCRIPT" => SCRIPTS.iter().try_for_each(|script| writeln!(out, "{script}"))?,
            _ => {}
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{run_recorded, swarm};

    /// Whatever a scenario is called, its words end no element and begin none.
    #[test]
    fn words_stay_words() {
        let hostile = "</script><!-- <script>alert(1)</script> {{DATA}}";
        let scenario = Scenario { name: hostile.into(), about: hostile.into(), ..swarm::scenario(1) };
        let (report, recording) = run_recorded(&scenario, 1);
        let mut page = Vec::new();
        write(&scenario, &report, &recording, &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.matches("</script>").count(), 2, "the data's and the scripts'");
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["about"], hostile);
        assert!(!page.contains("<!--") && page.ends_with("</html>\n"));
        for address in ["src=", "href=", "url(", "fetch(", "import("] {
            assert!(!page.contains(address), "the page asks the network: {address}");
        }
    }
}
