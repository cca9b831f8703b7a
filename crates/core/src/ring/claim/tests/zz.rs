extern crate std;
use super::judge::*;
use super::super::*;
use std::{println, time::Instant};
#[test]
fn zz_time() {
    for (q, s, z) in [(256, 12, 1), (256, 12, 3), (256, 12, 4), (256, 11, 1), (1024, 100, 1), (1024, 100, 4), (1024, 100, 10), (1024, 5, 1), (1024,10,4),(65536, 100, 1), (65536, 100, 4), (65536,4,1)] {
        let mut line = std::string::String::new();
        let ids: Vec<u64> = (1..=s).collect();
        let t = Instant::now();
        let first = claim(&[], &claimants(ids.clone(), z), q, 3);
        line += &std::format!("Q={q} S={s} Z={z} new {:?}", t.elapsed());
        for (what, c) in [("join", claimants(1..=s + 1, z)), ("leave", claimants(2..=s, z)), ("half", claimants(1..=s/2, z)), ("double", claimants(1..=2*s, z))] {
            let t = Instant::now();
            let after = claim(&first, &c, q, 3);
            let e = t.elapsed();
            let j = Judge::new(&c, q, 3);
            line += &std::format!(" {what} {:?} ({} of {:?}, D {} Z {})", e, j.moves(&first, &after), j.moves_least(&first), if q > 2000 {0} else {j.nodes_missing(&after)}, if q > 2000 {0} else {j.zones_missing(&after)});
        }
        println!("{line}");
    }
}
#[test]
fn zz_old() {
    for bits in 3..=8 { for s in 1..=12 { for n in 1..=5 {
        let old = super::super::layout::rounds(s, 1 << bits, n);
        let new: Vec<usize> = claim(&[], &claimants(1..=s as u64, 1), 1 << bits, n as u8).iter().map(|x| x.0 as usize - 1).collect();
        if old != new { println!("DIFF Q={} S={s} N={n}", 1 << bits); }
    }}}
}
#[test]
fn zz_big() {
    for (q, s) in [(65536_u32, 100_u64), (16384, 30), (4096, 20), (4096, 50)] {
    let first = claim(&[], &claimants(1..=s, 1), q, 3);
    let c = claimants(2..=s, 1);
    let p = Problem::new(&c, q, 3);
    let b = present(&first, &c);
    let h = alloc::vec![None; q as usize];
    let mut kept = p.table(&b, keep::filled(&b, &h, &p.shares.nodes));
    println!("filled {:?}", kept.cost());
    keep::exchange(&mut kept);
    println!("exchange {:?}", kept.cost());
    search::repair(&mut kept, p.effort());    println!("repair {:?}", kept.cost());
    keep::take(&mut kept);
    keep::hand_out(&mut kept);
    println!("take {:?}", kept.cost());
    search::improve(&mut kept, p.ideal(&b), p.effort(), 1);
    println!("improve {:?}", kept.cost());
    search::improve(&mut kept, p.ideal(&b), p.effort(), 6);
    println!("improve {:?}", kept.cost());
    }
}
