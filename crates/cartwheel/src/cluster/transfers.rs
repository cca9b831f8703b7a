//! `cartwheel cluster transfers`: what moves, until nothing does.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::client::{Client, Failure};
use super::{Survey, show, survey, tell};
use crate::output::tell_progress;
use crate::table::Table;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// What moves at one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Moving {
    node: String,
    status: String,
    /// Partitions that it fetched as a new home, and all that it has to.
    fetched: usize,
    to_fetch: usize,
    /// Comparisons with other homes still to be made for that.
    fetches: usize,
    /// Partitions that may hold something to give away.
    handoff_open: usize,
    /// Records given away, since its start.
    records_given: u64,
    /// Records per second that it may work on beside what clients ask for; nothing where that is not limited.
    background_rate: Option<u32>,
    /// Why nothing more is known.
    silent: Option<String>,
    is_idle: bool,
}

/// What moves in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Transfers {
    phase: String,
    epoch: u64,
    all: usize,
    done: usize,
    nodes: Vec<Moving>,
}

impl Transfers {
    fn of(survey: &Survey) -> Self {
        let cluster = &survey.cluster;
        let moving = |node: &super::Surveyed| {
            let member = cluster.members.iter().find(|member| member.name == node.name);
            let transfers = member.map(|member| member.transfers).unwrap_or_default();
            let report = node.report.as_ref();
            Moving {
                node: node.name.clone(),
                status: member.map(|member| member.status.clone()).unwrap_or_default(),
                fetched: transfers.done,
                to_fetch: transfers.all,
                fetches: report.map_or(0, |report| report.fetches),
                handoff_open: report.map_or(0, |report| report.handoff_open),
                records_given: report.map_or(0, |report| report.records_given),
                background_rate: report.and_then(|report| Some(report.background?.rate)),
                silent: node.silent.clone(),
                is_idle: report.is_none_or(|report| {
                    report.fetches == 0
                        && report.handoff_open == 0
                        && (report.membership_idle || !report.serves)
                }),
            }
        };
        Self {
            phase: cluster.ring.phase.clone(),
            epoch: cluster.ring.epoch,
            all: cluster.transfers.all,
            done: cluster.transfers.done,
            nodes: survey.nodes.iter().map(moving).collect(),
        }
    }

    fn is_over(&self) -> bool {
        self.phase == "settled" && self.nodes.iter().all(|node| node.is_idle && node.status != "leaving")
    }

    fn handoff_open(&self) -> usize {
        self.nodes.iter().map(|node| node.handoff_open).sum()
    }
}

pub async fn run(client: &Client, watch: bool, json: bool) -> Result<(), Failure> {
    let first = survey(client).await?;
    if !watch {
        let transfers = Transfers::of(&first);
        return tell(json, &transfers, |transfers| {
            show::with_silent(
                format!("{}\n{}", show::headline(&first.cluster), table(transfers)),
                &first.nodes,
            )
        });
    }
    let last = until_over(client, Transfers::of(&first)).await?;
    tell(json, &last, |_| format!("nothing moves any more; epoch {}", last.epoch))
}

fn table(transfers: &Transfers) -> Table {
    let mut table = Table::new([
        "node",
        "status",
        "fetched",
        "to compare",
        "to look through",
        "records given",
        "records/s at most",
    ]);
    for node in transfers.nodes.iter().filter(|node| node.silent.is_none()) {
        table.row([
            node.node.clone(),
            node.status.clone(),
            format!("{}/{}", node.fetched, node.to_fetch),
            node.fetches.to_string(),
            node.handoff_open.to_string(),
            node.records_given.to_string(),
            node.background_rate.map_or("-".into(), |rate| rate.to_string()),
        ]);
    }
    table
}

async fn until_over(client: &Client, first: Transfers) -> Result<Transfers, Failure> {
    let bars = Bars::new();
    let mut now = first;
    let mut told = None;
    loop {
        bars.show(&now);
        if bars.are_hidden() && told.as_ref() != Some(&now) {
            tell_progress(&line(&now));
            told = Some(now.clone());
        }
        if now.is_over() {
            bars.clear();
            return Ok(now);
        }
        tokio::time::sleep(PAUSE).await;
        now = Transfers::of(&survey(client).await?);
    }
}

/// Where there is no terminal to draw bars on.
fn line(now: &Transfers) -> String {
    let Transfers { phase, epoch, all, done, .. } = now;
    format!(
        "epoch {epoch}, {phase}: {done}/{all} transfers, {} partitions to look through",
        now.handoff_open()
    )
}

struct Bars {
    all: MultiProgress,
    fetching: ProgressBar,
    giving: ProgressBar,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let bar = |template: &str| {
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(0).with_style(style))
        };
        let fetching = bar("fetched by new homes  {bar:40} {pos}/{len}  {msg}");
        let giving = bar("looked through        {bar:40} {pos}/{len}");
        Self { all, fetching, giving }
    }

    fn are_hidden(&self) -> bool {
        self.all.is_hidden()
    }

    fn show(&self, now: &Transfers) {
        // A new epoch has transfers of its own; once it is settled, all of them are done.
        if now.all > 0 {
            self.fetching.set_length(now.all as u64);
            self.fetching.set_position(now.done as u64);
        } else {
            self.fetching.set_position(self.fetching.length().unwrap_or(0));
        }
        self.fetching.set_message(format!("epoch {}, {}", now.epoch, now.phase));
        let open = now.handoff_open() as u64;
        let most = self.giving.length().unwrap_or(0).max(open);
        self.giving.set_length(most);
        self.giving.set_position(most - open);
    }

    fn clear(&self) {
        // A terminal that has gone away is not an error.
        let _gone = self.all.clear();
    }
}
