use cartwheel_sim::fuzz::{OnFailure, fuzz};
use cartwheel_sim::swarm;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (a, b): (u64, u64) = (args[1].parse().unwrap(), args[2].parse().unwrap());
    if args.get(3).is_some_and(|x| x == "show") {
        println!("{}", toml::to_string(&swarm::scenario(a)).unwrap());
        println!("{}", cartwheel_sim::run(&swarm::scenario(a), a));
        return;
    }
    let mut totals: std::collections::BTreeMap<String, u64> = Default::default();
    let t = std::sync::Mutex::new(&mut totals);
    let c = fuzz(a..b, 1, OnFailure::KeepGoing, swarm::scenario, |r| {
        let mut t = t.lock().unwrap();
        for (k, v) in &r.counters {
            *t.entry(format!("{k:?}")).or_default() += v;
        }
        *t.entry("events".into()).or_default() += r.events;
        *t.entry("acked".into()).or_default() += r.acked_writes;
    });
    for f in &c.failures {
        println!("{}: {}", f.seed, f.summary());
    }
    println!("{} seeds, {} failed", c.seeds, c.failures.len());
    println!("{totals:?}");
}
