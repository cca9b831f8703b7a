//! Links that are slow, late or lossy: what is sent over them takes a detour through this process.
//!
//! The sender is told that its receiver is at our hardware address, which is behind a TAP device that hangs on the nodes' bridge
//! like another node. What arrives there is held back, or lost, and goes on to where the receiver is. So links are treated
//! one by one and one way on every kernel that has TAP devices; `tc netem` takes a module and filters that many lack.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cartwheel_sim::streams::Stream;
use tokio::time::{Instant, sleep_until};
use tokio_tun::Tun;

/// What ails a directed link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Nothing arrives.
    Cut,
    /// Everything takes so much longer, and stays in order.
    Slow(Duration),
    /// So many percent come late, by so much on average, and are overtaken by the rest.
    Late { percent: u32, by: Duration },
    /// Of so many in a million packets each is lost.
    Lossy { per_million: u32 },
}

/// A directed link, by the numbers of its nodes, from 0.
pub type Link = (u32, u32);

/// What ails the links, as far as anything does.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<Link, Vec<Trouble>>>>);

impl Troubles {
    /// Adds one to each of `links`.
    pub fn add(&self, links: &[Link], trouble: Trouble) {
        let mut troubles = self.lock();
        links.iter().for_each(|link| troubles.entry(*link).or_default().push(trouble));
    }

    /// Takes one from each again.
    pub fn take(&self, links: &[Link], trouble: Trouble) {
        let mut troubles = self.lock();
        for link in links {
            let Some(of_link) = troubles.get_mut(link) else { continue };
            if let Some(at) = of_link.iter().position(|one| *one == trouble) {
                of_link.remove(at);
            }
            if of_link.is_empty() {
                troubles.remove(link);
            }
        }
    }

    /// Takes all; which links had any.
    pub fn take_all(&self) -> Vec<Link> {
        std::mem::take(&mut *self.lock()).into_keys().collect()
    }

    /// What ails `link`.
    pub fn of(&self, link: Link) -> Vec<Trouble> {
        self.lock().get(&link).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Link, Vec<Trouble>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a packet on a link with `troubles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fate {
    /// How much later it arrives.
    later: Duration,
    /// Whether those sent after it may arrive before it.
    is_overtaken: bool,
}

/// `luck` draws numbers from 0 to 1. `None`: it is lost.
fn fate(troubles: &[Trouble], mut luck: impl FnMut() -> f64) -> Option<Fate> {
    let mut fate = Fate { later: Duration::ZERO, is_overtaken: false };
    for trouble in troubles {
        match *trouble {
            Trouble::Cut => return None,
            Trouble::Slow(by) => fate.later += by,
            Trouble::Late { percent, by } => {
                if luck() * 100.0 < f64::from(percent) {
                    fate.later += by.mul_f64(-luck().max(f64::MIN_POSITIVE).ln());
                    fate.is_overtaken = true;
                }
            }
            Trouble::Lossy { per_million } => {
                if luck() * 1e6 < f64::from(per_million) {
                    return None;
                }
            }
        }
    }
    Some(fate)
}

/// Where a frame comes from and where it goes to, if it is one of IPv4 between two nodes.
fn link_of(frame: &[u8], net: [u8; 3]) -> Option<Link> {
    let (ethernet, ip) = frame.split_at_checked(14)?;
    let [from, to] = [ip.get(12..16)?, ip.get(16..20)?];
    let is_ours = ethernet[12..] == [0x08, 0x00] && from[..3] == net && to[..3] == net;
    let node = |address: &[u8]| u32::from(address[3]).checked_sub(1);
    is_ours.then_some((node(from)?, node(to)?))
}

/// The way that frames go.
pub struct Detour {
    pub tap: Tun,
    pub troubles: Troubles,
    pub luck: Stream,
    /// The first three bytes of the nodes' addresses.
    pub net: [u8; 3],
    /// Our own hardware address.
    pub own: [u8; 6],
    /// A node's.
    pub hardware: fn(u32) -> [u8; 6],
}

/// Longest frame: the links' largest packets, and what is before them.
const FRAME_MAX: usize = 2048;
/// Frames held back at once; more are lost, as in a queue that is full.
const HELD_MAX: usize = 100_000;

impl Detour {
    /// Carries frames for as long as the device is there.
    pub async fn carry(mut self) -> io::Result<()> {
        let mut held: BTreeMap<(Instant, u64), Vec<u8>> = BTreeMap::new();
        let mut in_order: BTreeMap<Link, Instant> = BTreeMap::new();
        let (mut frame, mut number) = ([0; FRAME_MAX], 0);
        loop {
            let next = held.first_key_value().map(|((at, _), _)| *at);
            tokio::select! {
                // What is due goes before what comes.
                biased;
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    if let Some((_, frame)) = held.pop_first() {
                        self.tap.send_all(&frame).await?;
                    }
                }
                length = self.tap.recv(&mut frame) => {
                    let frame = &frame[..length?];
                    let Some(link) = link_of(frame, self.net) else { continue };
                    let troubles = self.troubles.of(link);
                    let Some(Fate { later, is_overtaken }) = fate(&troubles, || self.luck.unit()) else { continue };
                    let mut at = Instant::now() + later;
                    if !is_overtaken {
                        let last = in_order.entry(link).or_insert(at);
                        at = at.max(*last);
                        *last = at;
                    }
                    if held.len() < HELD_MAX {
                        number += 1;
                        held.insert((at, number), self.on_its_way(frame, link.1));
                    }
                }
            }
        }
    }

    /// The frame as it goes on. It comes from us: the bridge must not look for its sender here.
    fn on_its_way(&self, frame: &[u8], to: u32) -> Vec<u8> {
        let mut frame = frame.to_vec();
        frame[..6].copy_from_slice(&(self.hardware)(to));
        frame[6..12].copy_from_slice(&self.own);
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lucks(lucks: &[f64]) -> impl FnMut() -> f64 {
        let mut lucks = lucks.iter().copied();
        move || lucks.next().expect("no more is drawn")
    }

    #[test]
    fn troubles_add_up() {
        let ms = Duration::from_millis;
        let slow = [Trouble::Slow(ms(2)), Trouble::Slow(ms(3))];
        assert_eq!(fate(&slow, lucks(&[])), Some(Fate { later: ms(5), is_overtaken: false }));
        let late = [Trouble::Late { percent: 10, by: ms(20) }];
        assert_eq!(fate(&late, lucks(&[0.1])), Some(Fate { later: ms(0), is_overtaken: false }));
        let one_in_e = (-1.0_f64).exp();
        let Fate { later, is_overtaken } = fate(&late, lucks(&[0.09, one_in_e])).expect("not lost");
        assert!(is_overtaken && later.abs_diff(ms(20)) < Duration::from_micros(1), "{later:?}");
        let lossy = [Trouble::Lossy { per_million: 10_000 }];
        assert_eq!(fate(&lossy, lucks(&[0.009])), None);
        assert!(fate(&lossy, lucks(&[0.01])).is_some());
        assert_eq!(fate(&[Trouble::Slow(ms(1)), Trouble::Cut], lucks(&[])), None);
    }

    #[test]
    fn each_trouble_ends_by_itself() {
        let (troubles, links) = (Troubles::default(), [(0, 1), (1, 0)]);
        let (slow, cut) = (Trouble::Slow(Duration::from_millis(1)), Trouble::Cut);
        troubles.add(&links, slow);
        troubles.add(&links[..1], cut);
        troubles.add(&links[..1], cut);
        troubles.take(&links, cut);
        assert_eq!(troubles.of((0, 1)), [slow, cut]);
        troubles.take(&links, slow);
        assert_eq!(troubles.of((1, 0)), []);
        assert_eq!(troubles.take_all(), [(0, 1)]);
    }

    #[test]
    fn only_packets_between_nodes_are_carried() {
        let mut frame = vec![0; 34];
        frame[12..14].copy_from_slice(&[0x08, 0x00]);
        frame[26..30].copy_from_slice(&[10, 77, 0, 3]);
        frame[30..34].copy_from_slice(&[10, 77, 0, 1]);
        let net = [10, 77, 0];
        assert_eq!(link_of(&frame, net), Some((2, 0)));
        assert_eq!(link_of(&frame[..33], net), None);
        assert_eq!(link_of(&frame, [10, 78, 0]), None);
        frame[12] = 0x86;
        assert_eq!(link_of(&frame, net), None);
    }
}
