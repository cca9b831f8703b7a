//! Has faults strike real nodes, and mends them: what the scenario sets, and what its nemesis draws.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cartwheel_sim::Scenario;
use cartwheel_sim::latency::Latency;
use cartwheel_sim::nemesis::Nemesis;
use cartwheel_sim::scenario::{Fault, Span};
use cartwheel_sim::streams::{Component, Streams};
use cartwheel_sim::workload::Clients;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::clients::Crowd;
use crate::detour::{Link, Trouble};
use crate::finish::Told;
use crate::node::Node;
use crate::operator::{Change, Operator};
use crate::report::{Happened, Report};
use crate::witness::Witness;
use crate::world::World;
use crate::{PlayError, finish};

/// How often it is looked for nodes that have ended by themselves.
const LOOK_EVERY_NS: u64 = 200_000_000;
/// How often operators try again.
const OPERATE_EVERY_NS: u64 = 500_000_000;

/// What is to be done at some time.
#[derive(Debug)]
enum Act {
    Inflict(Box<Fault>),
    Strike,
    Start { node: usize, life: u32 },
    Relieve(Vec<Link>, Trouble),
    GoOn { node: usize, life: u32 },
    Free { node: usize },
    Look,
    Operate,
}

/// Runs a scenario from its first request to its report.
pub struct Director<'a> {
    scenario: &'a Scenario,
    world: World,
    nemesis: Option<Nemesis>,
    crowd: Crowd,
    close: watch::Sender<bool>,
    operator: Operator,
    /// By time, in nanoseconds since the beginning, and by number.
    agenda: BTreeMap<(u64, u64), Act>,
    acts: u64,
    began: Instant,
    now_ns: u64,
    happened: Happened,
    seed: u64,
    tell: &'a dyn Fn(&str),
}

impl<'a> Director<'a> {
    /// Of a cluster that takes requests.
    pub fn new(scenario: &'a Scenario, seed: u64, world: World, tell: &'a dyn Fn(&str)) -> Self {
        let (cluster, streams) = (&scenario.cluster, Streams::new(seed));
        let clients = Clients::new(&scenario.workload, &scenario.visit, cluster.nodes as usize, streams);
        let (close, closed) = watch::channel(false);
        let addresses = world.nodes.iter().map(|node| node.http).collect();
        let keys = scenario.workload.keys;
        Self {
            scenario,
            nemesis: scenario.nemesis.map(|spec| Nemesis::new(spec, cluster, keys, streams)),
            crowd: Crowd::new(clients, addresses, closed),
            close,
            operator: Operator::default(),
            agenda: BTreeMap::new(),
            acts: 0,
            began: Instant::now(),
            now_ns: 0,
            happened: Happened::default(),
            world,
            seed,
            tell,
        }
    }

    /// Until the scenario's time is up and the cluster has come to rest.
    pub async fn run(mut self) -> Result<Report, PlayError> {
        let witness = Witness::default();
        let watching = witness.watch(self.world.nodes.iter().map(|node| node.http));
        let mut visits = self.crowd.let_in();
        for fault in &self.scenario.fault {
            self.at(fault.at().ns(), Act::Inflict(Box::new(fault.clone())));
        }
        if let Some(nemesis) = &mut self.nemesis {
            let pause = nemesis.pause();
            self.at(pause, Act::Strike);
        }
        self.at(0, Act::Look);
        self.at(0, Act::Operate);
        self.make_lossy()?;
        let duration_ns = self.scenario.duration.ns();
        while let Some((&(at, _), _)) = self.agenda.first_key_value() {
            if at >= duration_ns {
                break;
            }
            sleep_until(self.began + Duration::from_nanos(at)).await;
            self.now_ns = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            if let Some((_, act)) = self.agenda.pop_first() {
                self.carry_out(act).await?;
            }
        }
        sleep_until(self.began + self.scenario.duration.duration()).await;
        (self.tell)("faults cease, clients go");
        self.close.send_replace(true);
        self.make_peace().await?;
        while visits.join_next().await.is_some() {}
        watching.iter().for_each(AbortHandle::abort);
        let Self { scenario, world, crowd, operator, happened, seed, tell, .. } = self;
        let told = Told { scenario, seed, happened, witness };
        finish::finish(told, world, &crowd, operator, tell).await
    }

    fn at(&mut self, ns: u64, act: Act) {
        self.acts += 1;
        self.agenda.insert((ns, self.acts), act);
    }

    fn after(&mut self, span: Span, act: Act) {
        self.at(self.now_ns + span.ns(), act);
    }

    async fn carry_out(&mut self, act: Act) -> Result<(), PlayError> {
        match act {
            Act::Inflict(fault) => self.inflict(&fault).await?,
            Act::Strike => self.strike().await?,
            Act::Start { node, life } => {
                if self.world.exists[node] && self.world.nodes[node].life == life {
                    self.start(node)?;
                }
            }
            Act::Relieve(links, trouble) => {
                self.world.network.relieve(&links, trouble).map_err(cannot("mending links"))?;
            }
            Act::GoOn { node, life } => {
                if self.world.nodes[node].life == life {
                    self.world.nodes[node].go_on();
                }
            }
            Act::Free { node } => self.world.nodes[node].free_disk(),
            Act::Look => {
                self.look()?;
                self.at(self.now_ns + LOOK_EVERY_NS, Act::Look);
            }
            Act::Operate => {
                self.operator.work(&self.world).await;
                self.at(self.now_ns + OPERATE_EVERY_NS, Act::Operate);
            }
        }
        Ok(())
    }

    fn start(&mut self, node: usize) -> Result<(), PlayError> {
        if !self.world.nodes[node].is_running() {
            let binary: &Path = &self.world.binary;
            self.world.nodes[node].start(binary)?;
        }
        Ok(())
    }

    /// A node that has ended by itself is written down, and started again.
    fn look(&mut self) -> Result<(), PlayError> {
        for number in 0..self.world.nodes.len() {
            let Some(ended) = self.world.nodes[number].has_ended() else { continue };
            let node = &self.world.nodes[number];
            let how = format!("{} ended with {ended}: {}", node.name, node.last_words());
            self.say(&how);
            self.happened.ended.push(how);
            self.start(number)?;
        }
        Ok(())
    }

    fn say(&self, what: &str) {
        (self.tell)(&format!("{:>8.3} s  {what}", self.began.elapsed().as_secs_f64()));
    }

    async fn strike(&mut self) -> Result<(), PlayError> {
        let (up, down) = (self.world.steady(), self.world.down());
        let Some(nemesis) = &mut self.nemesis else { return Ok(()) };
        let fault = nemesis.strike(&up, down);
        let pause = nemesis.pause();
        self.at(self.now_ns + pause, Act::Strike);
        match fault {
            Some(fault) => self.inflict(&fault).await,
            None => Ok(()),
        }
    }

    async fn inflict(&mut self, fault: &Fault) -> Result<(), PlayError> {
        let name = fault.name();
        match self.try_to_inflict(fault).await? {
            Done::Struck => {
                self.happened.struck(name);
                self.say(&cartwheel_sim::trace::fault_in_words(fault));
            }
            Done::NobodyThere => {}
            Done::LeftOut(why) => self.happened.left_out(name, why),
        }
        Ok(())
    }

    async fn try_to_inflict(&mut self, fault: &Fault) -> Result<Done, PlayError> {
        match fault {
            Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::WipeDisk { .. }
            | Fault::RestoreDisk { .. }
            | Fault::CrashLoop { .. }
            | Fault::RollingRestart { .. } => self.put_down(fault).await,
            Fault::Pause { lasts, node, .. } | Fault::Suspend { lasts, node, .. } => {
                Ok(self.hold(index(*node), *lasts))
            }
            Fault::DiskFull { .. } | Fault::ClockJump { .. } => self.strain(fault),
            Fault::Partition { .. }
            | Fault::PartialPartition { .. }
            | Fault::OneWay { .. }
            | Fault::Flapping { .. } => self.cut_links(fault),
            Fault::SlowNode { .. } | Fault::LateLink { .. } => self.slow_links(fault),
            Fault::Join { .. } | Fault::Leave { .. } | Fault::Replace { .. } | Fault::Remove { .. } => {
                self.change_members(fault).await
            }
            _ => Ok(Done::LeftOut(why_not(fault))),
        }
    }

    /// Ends a node, which starts again.
    async fn put_down(&mut self, fault: &Fault) -> Result<Done, PlayError> {
        match fault {
            Fault::Crash { lasts, node, .. } => Ok(self.crash(index(*node), *lasts).await),
            Fault::Restart { lasts, node, .. } => {
                let was_up = self.world.nodes[index(*node)].stop().await;
                Ok(self.start_again(index(*node), *lasts, was_up))
            }
            Fault::WipeDisk { lasts, node, .. } => {
                let done = self.crash(index(*node), *lasts).await;
                self.of(index(*node)).lose_disk().map_err(cannot("wiping a disk"))?;
                Ok(done)
            }
            Fault::RestoreDisk { lasts, node, .. } => {
                let done = self.crash(index(*node), *lasts).await;
                let node = self.of(index(*node));
                if node.put_back().map_err(cannot("putting a disk back"))? {
                    return Ok(done);
                }
                // The next time there is something to put back.
                node.back_up().map_err(cannot("copying a disk"))?;
                Ok(Done::LeftOut("there was no copy of the disk yet"))
            }
            Fault::CrashLoop { lasts, node, every, .. } => {
                let crash = |lasts| Fault::Crash { at: Span::default(), lasts, node: *node };
                Ok(self.again_and_again(*lasts, *every, crash))
            }
            Fault::RollingRestart { lasts, every, .. } => {
                let members = (1..).zip(&self.world.exists).filter(|(_, exists)| **exists);
                let members: Vec<u32> = members.map(|(number, _)| number).collect();
                for (turn, node) in (0_u64..).zip(members) {
                    let restart = Fault::Restart { at: Span::default(), lasts: *lasts, node };
                    self.at(self.now_ns + turn * every.ns(), Act::Inflict(Box::new(restart)));
                }
                Ok(Done::Struck)
            }
            _ => Ok(Done::LeftOut(why_not(fault))),
        }
    }

    fn hold(&mut self, node: usize, lasts: Span) -> Done {
        let life = self.of(node).life;
        if !self.world.nodes[node].stand_still() {
            return Done::NobodyThere;
        }
        self.after(lasts, Act::GoOn { node, life });
        Done::Struck
    }

    /// What befalls a node's machine.
    fn strain(&mut self, fault: &Fault) -> Result<Done, PlayError> {
        match fault {
            Fault::DiskFull { lasts, node, .. } if self.of(index(*node)).can_be_filled() => {
                self.of(index(*node)).fill_disk().map_err(cannot("filling a disk"))?;
                self.after(*lasts, Act::Free { node: index(*node) });
                Ok(Done::Struck)
            }
            Fault::ClockJump { node, by_ms, .. } if self.of(index(*node)).has_clock() => {
                self.world.nodes[index(*node)].jump_clock(*by_ms).map_err(cannot("setting a clock"))?;
                Ok(Done::Struck)
            }
            _ => Ok(Done::LeftOut(why_not(fault))),
        }
    }

    fn of(&self, node: usize) -> &Node {
        &self.world.nodes[node]
    }

    async fn crash(&mut self, node: usize, lasts: Span) -> Done {
        let was_up = self.world.nodes[node].kill().await;
        self.start_again(node, lasts, was_up)
    }

    fn start_again(&mut self, node: usize, lasts: Span, was_up: bool) -> Done {
        if !was_up {
            return Done::NobodyThere;
        }
        self.after(lasts, Act::Start { node, life: self.of(node).life });
        Done::Struck
    }

    /// So often as it goes into `lasts`, each time for half of `every`.
    fn again_and_again(&mut self, lasts: Span, every: Span, fault: impl Fn(Span) -> Fault) -> Done {
        for time in 0..lasts.ns().div_ceil(every.ns().max(1)) {
            let fault = fault(Span::from_ns(every.ns() / 2));
            self.at(self.now_ns + time * every.ns(), Act::Inflict(Box::new(fault)));
        }
        Done::Struck
    }

    fn cut_links(&mut self, fault: &Fault) -> Result<Done, PlayError> {
        if !self.world.network.can_cut() {
            return Ok(Done::LeftOut("nodes are not in namespaces of their own"));
        }
        let (links, lasts) = match fault {
            Fault::Partition { lasts, side, .. } => {
                (self.links(|from, to| side.contains(&from) != side.contains(&to)), *lasts)
            }
            Fault::PartialPartition { lasts, pairs, .. } => {
                (self.links(|a, b| pairs.contains(&[a, b]) || pairs.contains(&[b, a])), *lasts)
            }
            Fault::OneWay { lasts, from, to, .. } => {
                (self.links(|a, b| from.contains(&a) && to.contains(&b)), *lasts)
            }
            Fault::Flapping { lasts, side, every, .. } => {
                let cut = |lasts| Fault::Partition { at: Span::default(), lasts, side: side.clone() };
                return Ok(self.again_and_again(*lasts, *every, cut));
            }
            _ => return Ok(Done::NobodyThere),
        };
        self.trouble(links, Trouble::Cut, lasts)
    }

    /// What links lose all the time, as the scenario has it.
    fn make_lossy(&mut self) -> Result<(), PlayError> {
        let per_million = (self.scenario.network.loss.value() * 1e6) as u32;
        if per_million == 0 {
            return Ok(());
        }
        if !self.world.network.can_detour() {
            self.happened.left_out("loss", NO_DETOUR);
            return Ok(());
        }
        let all = self.links(|_, _| true);
        self.world
            .network
            .trouble(&all, Trouble::Lossy { per_million })
            .map_err(cannot("troubling links"))?;
        self.happened.struck("loss");
        Ok(())
    }

    fn slow_links(&mut self, fault: &Fault) -> Result<Done, PlayError> {
        if !self.world.network.can_detour() {
            return Ok(Done::LeftOut(why_not(fault)));
        }
        match fault {
            Fault::SlowNode { lasts, node, factor, .. } => {
                // The links here take next to no time: what the scenario's take is what is multiplied.
                let one_way = mean(&self.scenario.network.latency, Streams::new(self.seed));
                let more = one_way.saturating_mul(*factor - 1);
                let links = self.links(|from, to| from == *node || to == *node);
                self.trouble(links, Trouble::Slow(more), *lasts)
            }
            Fault::LateLink { lasts, from, to, percent, by, .. } => {
                let links = self.links(|a, b| from.contains(&a) && to.contains(&b));
                self.trouble(links, Trouble::Late { percent: *percent, by: by.duration() }, *lasts)
            }
            _ => Ok(Done::NobodyThere),
        }
    }

    fn trouble(&mut self, links: Vec<Link>, trouble: Trouble, lasts: Span) -> Result<Done, PlayError> {
        self.world.network.trouble(&links, trouble).map_err(cannot("troubling links"))?;
        self.after(lasts, Act::Relieve(links, trouble));
        Ok(Done::Struck)
    }

    /// The directed links between different nodes that `which` picks, counted from 0; it is given names, from 1.
    fn links(&self, which: impl Fn(u32, u32) -> bool) -> Vec<Link> {
        let nodes = self.world.nodes.len() as u32;
        (0..nodes)
            .flat_map(|from| (0..nodes).map(move |to| (from, to)))
            .filter(|(from, to)| from != to && which(from + 1, to + 1))
            .collect()
    }

    async fn change_members(&mut self, fault: &Fault) -> Result<Done, PlayError> {
        let name = |node: &u32| format!("n{node}");
        let change = match fault {
            Fault::Join { node, .. } => {
                self.let_spare_start(*node)?;
                Change::Join(name(node))
            }
            Fault::Leave { node, .. } => Change::Leave(name(node)),
            Fault::Replace { node, with, .. } => {
                self.let_spare_start(*with)?;
                let dead = !self.of(*node as usize - 1).is_running();
                if dead {
                    self.destroy(*node).await;
                }
                Change::Replace { node: name(node), with: name(with), dead }
            }
            Fault::Remove { node, .. } => {
                self.destroy(*node).await;
                Change::Remove(name(node))
            }
            _ => return Ok(Done::NobodyThere),
        };
        self.operator.wants(change);
        Ok(Done::Struck)
    }

    fn let_spare_start(&mut self, node: u32) -> Result<(), PlayError> {
        self.world.exists[node as usize - 1] = true;
        self.start(node as usize - 1)
    }

    /// It never starts again.
    async fn destroy(&mut self, node: u32) {
        self.world.exists[node as usize - 1] = false;
        self.world.nodes[node as usize - 1].kill().await;
    }

    /// Faults cease: every node runs, every link works.
    async fn make_peace(&mut self) -> Result<(), PlayError> {
        self.world.network.heal().map_err(cannot("mending links"))?;
        for number in 0..self.world.nodes.len() {
            self.world.nodes[number].free_disk();
            self.world.nodes[number].go_on();
            if self.world.exists[number] {
                self.start(number)?;
            }
        }
        Ok(())
    }
}

/// What became of a fault.
enum Done {
    Struck,
    /// The node that it was for is down already.
    NobodyThere,
    LeftOut(&'static str),
}

/// Counted from 0.
fn index(node: u32) -> usize {
    node as usize - 1
}

const NO_DETOUR: &str = "nodes are not in namespaces of their own, or there are no TAP devices";

/// The average of many draws: the kinds of latency have no formula in common.
fn mean(latency: &Latency, streams: Streams) -> Duration {
    const DRAWS: u64 = 1_000;
    let mut draws = streams.stream(Component::Luck);
    Duration::from_nanos((0..DRAWS).map(|_| latency.sample(&mut draws) / DRAWS).sum())
}

/// Why a fault cannot be inflicted on real nodes.
fn why_not(fault: &Fault) -> &'static str {
    match fault {
        Fault::WipeKey { .. } | Fault::CorruptRecord { .. } => {
            "the engine's files hold many records in one block"
        }
        Fault::DropAcks { .. } => "a real link carries all messages alike",
        Fault::SlowNode { .. } | Fault::LateLink { .. } => NO_DETOUR,
        Fault::SetProps { .. } | Fault::SetType { .. } => "operators of real nodes set no properties here",
        Fault::ClockJump { .. } => "libfaketime is not installed",
        Fault::DiskFull { .. } => "its disk is not a small one of its own, which takes root",
        _ => "the disk is the machine's own",
    }
}

fn cannot(what: &'static str) -> impl FnOnce(std::io::Error) -> PlayError {
    PlayError::machine(what)
}
