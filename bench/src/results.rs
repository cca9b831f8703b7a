//! What comes of it, and what was hoped for.

use serde::Serialize;

/// Goal: at most so many times slower than the bare loop.
const SLOWER_THAN_BARE_MAX: f64 = 4.0;
/// Goal: at least so many times faster than madsim, and than turmoil.
const FASTER_THAN_OTHERS_MIN: f64 = 5.0;

/// One world, one crowd.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    pub world: &'static str,
    pub nodes: usize,
    pub clients: usize,
    pub messages_per_cpu_second: f64,
    pub events_per_cpu_second: Option<f64>,
    pub simulated_seconds_per_wall_second: f64,
    pub simulated_seconds_per_cpu_second: f64,
    /// How many times more messages the bare loop delivers in a CPU second, with the same crowd.
    pub bare_by_messages: f64,
    /// How many times more events.
    pub bare_by_events: Option<f64>,
}

/// New worlds, each with 1,000 operations.
#[derive(Clone, Debug, Serialize)]
pub struct Fresh {
    pub world: &'static str,
    pub worlds_per_cpu_second: f64,
}

/// Something hoped for.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    pub goal: String,
    pub found: String,
    pub met: bool,
}

/// Everything that `--json` prints.
#[derive(Debug, Serialize)]
pub struct Results {
    pub rounds: usize,
    pub speed: Vec<Speed>,
    pub fresh: Vec<Fresh>,
    pub goals: Vec<Goal>,
}

impl Results {
    pub fn new(rounds: usize, speed: Vec<Speed>, fresh: Vec<Fresh>) -> Self {
        let ours = speed.iter().filter(|speed| speed.world == "cartwheel");
        let mut goals = Vec::new();
        for own in ours {
            goals.push(near_bare(own));
            let is_beside = |other: &&Speed| {
                (other.nodes, other.clients) == (own.nodes, own.clients) && is_other(other.world)
            };
            let others = speed.iter().filter(is_beside);
            goals.extend(others.map(|other| faster(own, other)));
        }
        goals.extend(fresher(&fresh));
        Self { rounds, speed, fresh, goals }
    }
}

fn is_other(world: &str) -> bool {
    matches!(world, "madsim" | "turmoil")
}

fn near_bare(own: &Speed) -> Goal {
    let by_events = own.bare_by_events.unwrap_or(f64::INFINITY);
    Goal {
        goal: format!(
            "{} nodes, {} clients: within {SLOWER_THAN_BARE_MAX}x of the bare loop",
            own.nodes, own.clients
        ),
        found: format!("{by_events:.1}x by events, {:.1}x by messages", own.bare_by_messages),
        met: by_events.max(own.bare_by_messages) <= SLOWER_THAN_BARE_MAX,
    }
}

fn faster(own: &Speed, other: &Speed) -> Goal {
    let times = own.messages_per_cpu_second / other.messages_per_cpu_second;
    Goal {
        goal: format!(
            "{} nodes, {} clients: at least {FASTER_THAN_OTHERS_MIN}x the messages of {}",
            own.nodes, own.clients, other.world
        ),
        found: format!("{times:.2}x"),
        met: times >= FASTER_THAN_OTHERS_MIN,
    }
}

fn fresher(fresh: &[Fresh]) -> Vec<Goal> {
    let Some(own) = fresh.iter().find(|fresh| fresh.world == "cartwheel") else { return Vec::new() };
    let beside = |other: &Fresh| {
        let times = own.worlds_per_cpu_second / other.worlds_per_cpu_second;
        Goal {
            goal: format!("fresh worlds: no slower than {}", other.world),
            found: format!("{times:.2}x"),
            met: times >= 1.0,
        }
    };
    fresh.iter().filter(|other| is_other(other.world)).map(beside).collect()
}
