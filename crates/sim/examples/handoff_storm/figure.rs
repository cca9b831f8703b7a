//! Two panels over one time axis, as an SVG that is readable on light and on dark pages.

use std::fmt::Write;

/// When the home is away, in milliseconds.
pub const AWAY_MS: u64 = 5_000;
/// When it is back, in milliseconds.
pub const BACK_MS: u64 = 30_000;
/// The controller's target, in milliseconds.
pub const TARGET_MS: u64 = 50;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 580.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 24.0;
const SECONDS: f64 = 75.0;

/// One point of both lines of one run.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub seconds: f64,
    pub p99_ms: Option<f64>,
    pub records_per_second: f64,
}

/// One panel: where it is, and what its axis says.
struct Panel {
    top: f64,
    height: f64,
    ticks: &'static [f64],
    scale: fn(f64) -> f64,
    title: &'static str,
}

const P99: Panel = Panel {
    top: 92.0,
    height: 210.0,
    ticks: &[10.0, 20.0, 50.0, 100.0, 200.0, 500.0],
    scale: decades,
    title: "What clients wait for: 99th percentile of gets and puts, in ms (log scale)",
};
const MOVED: Panel = Panel {
    top: 372.0,
    height: 150.0,
    ticks: &[0.0, 250.0, 500.0, 750.0, 1_000.0],
    scale: linear,
    title: "Background work: hints delivered and keys exchanged, records per second",
};

/// From 10 ms to 600 ms.
fn decades(ms: f64) -> f64 {
    libm::log10(ms.clamp(10.0, 600.0) / 10.0) / libm::log10(60.0)
}

fn linear(records: f64) -> f64 {
    (records / 1_100.0).min(1.0)
}

fn x(seconds: f64) -> f64 {
    LEFT + seconds / SECONDS * (WIDTH - LEFT - RIGHT)
}

impl Panel {
    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - (self.scale)(value))
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// The figure.
pub fn draw(unheld: &[Point], held: &[Point]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Foreground p99 and background work over time, with and without the controller\">\n{STYLE}\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n"
    );
    legend(&mut svg);
    away(&mut svg);
    for panel in [&P99, &MOVED] {
        axes(&mut svg, panel);
    }
    target(&mut svg);
    for (points, class) in [(unheld, "unheld"), (held, "held")] {
        line(&mut svg, class, points.iter().map(|p| p.p99_ms.map(|ms| (x(p.seconds), P99.y(ms)))));
        let moved = points.iter().map(|p| Some((x(p.seconds), MOVED.y(p.records_per_second))));
        line(&mut svg, class, moved);
    }
    text(&mut svg, "axis", (x(SECONDS / 2.0), HEIGHT - 16.0), "middle", "simulated time, in seconds");
    svg.push_str("</svg>\n");
    svg
}

const STYLE: &str = "<style>\n\
    text { font: 13px system-ui, sans-serif; fill: #24292f }\n\
    .title { font-weight: 600; font-size: 17px } .panel { font-weight: 600 } .axis { fill: #57606a }\n\
    .page { fill: #ffffff } .grid { stroke: #d8dee4; stroke-width: 1 } .away { fill: #eef1f4 }\n\
    .unheld { stroke: #c4410c; fill: none; stroke-width: 1.8 } .held { stroke: #0b63c5; fill: none; stroke-width: 2.4 }\n\
    .target { stroke: #24292f; stroke-width: 1.4; stroke-dasharray: 6 4 }\n\
    @media (prefers-color-scheme: dark) {\n\
    text { fill: #e6edf3 } .axis { fill: #9da7b3 } .page { fill: #0d1117 } .grid { stroke: #30363d }\n\
    .away { fill: #1b222b } .unheld { stroke: #ff8a4c } .held { stroke: #58a6ff } .target { stroke: #e6edf3 }\n\
    }\n</style>";

fn legend(svg: &mut String) {
    text(svg, "title", (LEFT, 28.0), "start", "A home comes back to a storm of background work");
    let entries = [
        ("unheld", LEFT, "without the controller"),
        ("held", 280.0, "with the controller (p99 target 50 ms)"),
    ];
    for (class, at, words) in entries {
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{at} 51H{}\"/>", at + 28.0);
        text(svg, "", (at + 36.0, 55.5), "start", words);
    }
}

/// The time in which the home is away.
fn away(svg: &mut String) {
    let (from, to) = (x(AWAY_MS as f64 / 1_000.0), x(BACK_MS as f64 / 1_000.0));
    for panel in [&P99, &MOVED] {
        let (top, height, width) = (panel.top, panel.height, to - from);
        let _ = writeln!(
            svg,
            "<rect class=\"away\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
        );
    }
    let label = P99.top + 30.0;
    text(svg, "axis", (from + 18.0, P99.y(150.0)), "start", "not suspected yet");
    text(svg, "axis", ((from + to) / 2.0, label), "middle", "one of five nodes is away");
    text(svg, "axis", (to + 8.0, label), "start", "it is back, and is owed thousands of writes");
}

fn axes(svg: &mut String, panel: &Panel) {
    text(svg, "panel", (LEFT, panel.top - 12.0), "start", panel.title);
    for tick in panel.ticks {
        let y = panel.y(*tick);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/>", WIDTH - RIGHT);
        text(svg, "axis", (LEFT - 8.0, y + 4.5), "end", &format!("{tick}"));
    }
    for seconds in (0..=SECONDS as u32).step_by(5) {
        let at = x(f64::from(seconds));
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{at:.1} {:.1}v5\"/>", panel.bottom());
        text(svg, "axis", (at, panel.bottom() + 19.0), "middle", &seconds.to_string());
    }
}

fn target(svg: &mut String) {
    let y = P99.y(TARGET_MS as f64);
    let _ = writeln!(svg, "<path class=\"target\" d=\"M{LEFT} {y:.1}H{:.1}\"/>", WIDTH - RIGHT);
    text(svg, "", (WIDTH - RIGHT - 6.0, y - 6.0), "end", "target 50 ms");
}

/// A line through `points`, with a gap where there is none.
fn line(svg: &mut String, class: &str, points: impl Iterator<Item = Option<(f64, f64)>>) {
    let mut path = String::new();
    let mut pen_up = true;
    for point in points {
        let Some((x, y)) = point else {
            pen_up = true;
            continue;
        };
        if x <= WIDTH - RIGHT {
            let _ = write!(path, "{}{x:.1} {y:.1}", if pen_up { 'M' } else { 'L' });
        }
        pen_up = false;
    }
    let _ = writeln!(svg, "<path class=\"{class}\" stroke-linejoin=\"round\" d=\"{path}\"/>");
}

fn text(svg: &mut String, class: &str, at: (f64, f64), anchor: &str, words: &str) {
    let (x, y) = at;
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}
