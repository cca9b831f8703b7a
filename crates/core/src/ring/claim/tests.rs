use super::*;
extern crate std;
use std::{println, time::Instant};

fn equal(ids: &[u64], zones: u64) -> Vec<Claimant> {
    ids.iter().map(|&id| Claimant { node: NodeId(id), weight: 1, zone: id % zones }).collect()
}

fn judge(before: &[NodeId], after: &[NodeId], claimants: &[Claimant], q: u32, n: u8) -> (Cost, Cost) {
    let mut c = claimants.to_vec();
    c.sort_by_key(|c| c.node);
    let p = Problem::new(&c, q, n);
    let b = if before.is_empty() { alloc::vec![None; q as usize] } else { present(before, &c) };
    let o = present(after, &c).into_iter().map(Option::unwrap).collect();
    (p.table(&b, o).cost(), p.ideal(&b))
}

#[test]
fn survey() {
    let mut excess: alloc::collections::BTreeMap<&str, [u64; 5]> = Default::default();
    let mut stats: alloc::collections::BTreeMap<(&str, bool), (u64, u64, u128)> = Default::default();
    for zones in 1..=4 {
        for n in 1..=5_u8 {
            for bits in 3..=8 {
                for count in 1..=12_u64 {
                    let q = 1 << bits;
                    let ids: Vec<u64> = (1..=count).collect();
                    let now = equal(&ids, zones);
                    let t = Instant::now();
                    let first = claim(&[], &now, q, n);
                    let mut report = |what: &'static str, cost: Cost, ideal: Cost, t: Instant| {
                        let us = t.elapsed().as_micros();
                        let e = stats.entry((what, cost <= ideal)).or_default();
                        e.0 += 1;
                        e.1 = e.1.max(us as u64);
                        e.2 += us;
                        let x = excess.entry(what).or_default();
                        if cost > ideal { for (x, y) in x.iter_mut().zip([1, cost.nodes_missing - ideal.nodes_missing.min(cost.nodes_missing), cost.zones_missing - ideal.zones_missing.min(cost.zones_missing), cost.imbalance, cost.moves - ideal.moves.min(cost.moves)]) { *x += y; } }
                        if cost > ideal {
                            println!("{what} Z={zones} N={n} Q={q} S={count}: {cost:?} ideal {ideal:?} {us}us");
                        }
                    };
                    let (c, i) = judge(&[], &first, &now, q, n);
                    report("new", c, i, t);
                    let more = equal(&(1..=count + 1).collect::<Vec<_>>(), zones);
                    let t = Instant::now();
                    let joined = claim(&first, &more, q, n);
                    let (c, i) = judge(&first, &joined, &more, q, n);
                    report("join", c, i, t);
                    if count > 1 {
                        let less = equal(&ids[1..], zones);
                        let t = Instant::now();
                        let left = claim(&first, &less, q, n);
                        let (c, i) = judge(&first, &left, &less, q, n);
                        report("leave", c, i, t);
                    }
                }
            }
        }
    }
    println!("{stats:?}");
    println!("EXCESS {excess:?}");
}

/// Lower bound of moves among distinct, balanced assignments: Lagrangian relaxation of the shares over an exact
/// dynamic programme of the windows. `before[p]`: None free.
fn bound(before: &[Option<usize>], zone: &[usize], zones: usize, lo: &[i64], hi: &[i64], n: usize, iters: i64) -> i64 {
    const SCALE: i64 = 64;
    let m = lo.len();
    let k = n - 1;
    let mut states: Vec<Vec<usize>> = alloc::vec![alloc::vec![]];
    for _ in 0..k {
        states = states
            .into_iter()
            .flat_map(|s| (0..m).filter(|x| !s.contains(x)).map(|x| { let mut t = s.clone(); t.push(x); t }).collect::<Vec<_>>())
            .collect();
    }
    let find = |t: &[usize]| states.iter().position(|s| s == t).unwrap();
    let next: Vec<Vec<(usize, usize)>> = states
        .iter()
        .map(|s| (0..m).filter(|x| !s.contains(x)).filter(|&x| {
            let mut z: Vec<usize> = s.iter().map(|&i| zone[i]).collect(); z.push(zone[x]); z.sort(); z.dedup(); z.len() >= n.min(zones)
        }).map(|x| { let mut t = s.clone(); t.push(x); (x, find(&t[1..])) }).collect())
        .collect();
    let q = before.len();
    let mut lambda = alloc::vec![0_i64; m];
    let mut best = 0;
    for it in 0..iters {
        let price = |p: usize, x: usize| lambda[x] + if before[p].is_some_and(|b| b != x) { SCALE } else { 0 };
        let mut low = (i64::MAX, alloc::vec![]);
        for (first, start) in states.iter().enumerate() {
            let mut dist = alloc::vec![i64::MAX / 2; states.len()];
            dist[first] = (0..k).map(|p| price(p, start[p])).sum();
            let mut back: Vec<Vec<(usize, usize)>> = Vec::new();
            // positions k..q, then check wrap by replaying the first k as forced positions
            for p in k..q + k {
                let mut nd = alloc::vec![i64::MAX / 2; states.len()];
                let mut bk = alloc::vec![(0, 0); states.len()];
                for (s, outs) in next.iter().enumerate() {
                    if dist[s] >= i64::MAX / 2 { continue; }
                    for &(x, t) in outs {
                        if p >= q && x != start[p - q] { continue; }
                        let c = dist[s] + if p >= q { 0 } else { price(p, x) };
                        if c < nd[t] { nd[t] = c; bk[t] = (s, x); }
                    }
                }
                dist = nd;
                back.push(bk);
            }
            if dist[first] < low.0 {
                let mut counts = alloc::vec![0_i64; m];
                let mut s = first;
                for (i, bk) in back.iter().enumerate().rev() {
                    let (ps, x) = bk[s];
                    let _ = i;
                    counts[x] += 1;
                    s = ps;
                }
                low = (dist[first], counts);
            }
        }
        if low.0 >= i64::MAX / 2 { return -1; }
        let dual: i64 = low.0 - (0..m).map(|i| (lambda[i] * lo[i]).max(lambda[i] * hi[i])).sum::<i64>();
        best = best.max((dual + SCALE - 1).div_euclid(SCALE));
        let step = (SCALE / 4 / (1 + it / 8)).max(1);
        for i in 0..m {
            let c = low.1[i];
            if c > hi[i] { lambda[i] += step * (c - hi[i]).min(4); } else if c < lo[i] { lambda[i] -= step * (lo[i] - c).min(4); }
            else if lambda[i] != 0 && lo[i] != hi[i] { lambda[i] -= lambda[i].signum() * step.min(lambda[i].abs()); }
        }
    }
    best
}

#[test]
fn lagrange() {
    let maxq: u32 = std::env::var("MAXQ").ok().and_then(|s| s.parse().ok()).unwrap_or(64);
    let maxs: u64 = std::env::var("MAXS").ok().and_then(|s| s.parse().ok()).unwrap_or(130);
    for zones in 1..=4 {
    for n in 2..=4_usize {
        for bits in [3, 4, 5, 6, 7, 8] {
            for count in n as u64..=12 {
                let states: u64 = (0..n as u64 - 1).map(|i| count - i).product();
                if states > maxs || 1 << bits > maxq { continue; }
                let q = 1_u32 << bits;
                let ids: Vec<u64> = (1..=count).collect();
                let now = equal(&ids, zones);
                let first = claim(&[], &now, q, n as u8);
                for what in ["join", "leave"] {
                    let c = if what == "join" { equal(&(1..=count + 1).collect::<Vec<_>>(), zones) } else { equal(&ids[1..], zones) };
                    if c.len() <= n { continue; }
                    let after = claim(&first, &c, q, n as u8);
                    let (cost, ideal) = judge(&first, &after, &c, q, n as u8);
                    if cost <= ideal { continue; }
                    let p = Problem::new(&c, q, n as u8);
                    let lo: Vec<i64> = p.shares.nodes.iter().map(|s| s.floor() as i64).collect();
                    let hi: Vec<i64> = p.shares.nodes.iter().map(|s| s.ceil() as i64).collect();
                    let z: Vec<usize> = p.nodes.iter().map(|n| n.zone).collect();
                    let b = bound(&present(&first, &c), &z, p.zones, &lo, &hi, n, 40);
                    println!("{what} Z={zones} N={n} Q={q} S={count}: {cost:?} ideal {} bound {b} gap {}", ideal.moves, cost.moves as i64 - b);
                }
            }
        }
    }
    }
}
