//! The keys of a workload, and which of them a visit goes to.

use cartwheel_core::Key;

use super::popularity::Ranks;
use crate::scenario::{KindSpec, Mix, PopularitySpec, Probability, WorkloadSpec};
use crate::streams::{Component, Stream, Streams};

/// All keys. A mix that inserts begins with half of them.
#[derive(Debug)]
pub struct Keyspace {
    keys: Vec<Key>,
    /// The first so many are there.
    there: usize,
    /// Was inserted last.
    newest: usize,
    chooser: Chooser,
}

#[derive(Debug)]
enum Chooser {
    Uniform,
    /// The key of each rank.
    Zipfian(Ranks, Vec<u32>),
    Hotspot(Probability, Probability),
    Latest(Ranks),
}

impl Keyspace {
    /// The keys of `spec`.
    pub fn new(spec: &WorkloadSpec, streams: Streams) -> Self {
        let inserts = matches!(spec.kind, KindSpec::Ycsb { mix: Mix::D | Mix::E, .. });
        let there = if inserts { spec.keys.div_ceil(2) } else { spec.keys } as usize;
        let chooser = match spec.popularity() {
            PopularitySpec::Uniform => Chooser::Uniform,
            PopularitySpec::Zipfian { theta } => {
                Chooser::Zipfian(Ranks::new(spec.keys, theta), shuffled(spec.keys, streams))
            }
            PopularitySpec::Hotspot { keys, operations } => Chooser::Hotspot(keys, operations),
            PopularitySpec::Latest { theta } => Chooser::Latest(Ranks::new(spec.keys, theta)),
        };
        let name = |number: u32| {
            let key = format!("{}-{number}", spec.kind.noun());
            Key::new(spec.kind.bucket(number % spec.buckets).as_bytes(), key.as_bytes())
        };
        Self { keys: (0..spec.keys).map(name).collect(), there, newest: there - 1, chooser }
    }

    /// All keys that clients may have written.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// How many are there.
    pub fn there(&self) -> usize {
        self.there
    }

    /// One of those that are there.
    pub fn choose(&self, stream: &mut Stream) -> usize {
        let there = self.there;
        match &self.chooser {
            Chooser::Uniform => stream.index(there),
            // While not all are there, some stand in for others.
            Chooser::Zipfian(ranks, order) => order[ranks.draw(there, stream)] as usize % there,
            Chooser::Hotspot(keys, operations) => {
                let hot = ((keys.value() * there as f64) as usize).clamp(1, there);
                if stream.happens(operations.chance()) || hot == there {
                    stream.index(hot)
                } else {
                    hot + stream.index(there - hot)
                }
            }
            Chooser::Latest(ranks) => (self.newest + there - ranks.draw(there, stream)) % there,
        }
    }

    /// The next one to insert. When all are there, the oldest is written anew.
    pub fn insert(&mut self) -> usize {
        self.newest = (self.newest + 1) % self.keys.len();
        self.there = self.there.max(self.newest + 1);
        self.newest
    }
}

/// All of them in an order of the seed, so that neighbours are not alike. (YCSB hashes: some of its keys then have
/// several ranks, and some have none.)
fn shuffled(count: u32, streams: Streams) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    let mut stream = streams.stream(Component::Keys);
    for last in (1..order.len()).rev() {
        order.swap(last, stream.index(last + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyspace(text: &str) -> Keyspace {
        let spec = toml::from_str::<WorkloadSpec>(text).unwrap();
        Keyspace::new(&spec, Streams::new(5))
    }

    fn drawn(keyspace: &Keyspace) -> Vec<usize> {
        let mut stream = Streams::new(9).stream(Component::Client { client: 0 });
        let mut times = vec![0; keyspace.keys().len()];
        (0..10_000).for_each(|_| times[keyspace.choose(&mut stream)] += 1);
        times
    }

    #[test]
    fn a_hotspot_is_as_hot_as_it_is_said_to_be() {
        let hot = keyspace(
            "registers = { clients = 1, keys = 50, rate = 1, popularity = { hotspot = { keys = 0.1, operations = 0.8 } } }",
        );
        let hits: usize = drawn(&hot)[..5].iter().sum();
        assert!((7_850..8_150).contains(&hits), "{hits}");
    }

    #[test]
    fn each_key_has_a_rank_of_its_own() {
        let mut times = drawn(&keyspace("ycsb = { clients = 1, keys = 50, rate = 1, mix = 'a' }"));
        assert!(times[0] < 3_000 && times.iter().all(|times| *times > 0), "{times:?}");
        times.sort_unstable();
        // 1 / zeta(50, 0.99) = 1 / 4.6.
        assert!((2_050..2_300).contains(&times[49]), "{times:?}");
    }

    #[test]
    fn what_was_inserted_last_is_read_most() {
        let mut keys = keyspace("ycsb = { clients = 1, keys = 10, rate = 1, mix = 'd' }");
        assert_eq!(keys.there(), 5);
        let inserted: Vec<usize> = (0..3).map(|_| keys.insert()).collect();
        assert_eq!(inserted, [5, 6, 7]);
        let times = drawn(&keys);
        assert!(times[7] > times[6] && times[6] > times[5] && times[8..] == [0, 0], "{times:?}");
        let inserted: Vec<usize> = (0..3).map(|_| keys.insert()).collect();
        assert_eq!((inserted, keys.there()), (vec![8, 9, 0], 10));
    }
}
