//! How many different elements a HyperLogLog has counted: Ertl's "New cardinality estimation algorithms for HyperLogLog
//! sketches" (2017), algorithm 6, which is as good for few elements as for many.

use cartwheel_core::datatype::Hll;

/// About how many; exact, but for rare collisions, while there are few.
pub fn estimate(hll: &Hll) -> u64 {
    let registers = hll.registers();
    let m = registers.len() as f64;
    let rank_max = 64 - usize::from(hll.precision()) + 1;
    let mut with_rank = vec![0_u32; rank_max + 1];
    for rank in registers {
        with_rank[usize::from(*rank).min(rank_max)] += 1;
    }
    let [none, ranks @ .., full] = with_rank.as_slice() else { return 0 };
    let from_full = m * tau(1.0 - f64::from(*full) / m);
    let from_ranks = ranks.iter().rev().fold(from_full, |z, count| (z + f64::from(*count)) / 2.0);
    let z = from_ranks + m * sigma(f64::from(*none) / m);
    (m * m / (2.0 * std::f64::consts::LN_2 * z)).round() as u64
}

/// The paper's sigma: what the registers that nothing has met say. Infinite where nothing has met any.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut sum) = (1.0, x);
    loop {
        let before = sum;
        x *= x;
        sum += x * y;
        y += y;
        if sum <= before {
            return sum;
        }
    }
}

/// The paper's tau: what the registers say that can count no further.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut sum) = (1.0, 1.0 - x);
    loop {
        let before = sum;
        x = x.sqrt();
        y /= 2.0;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the core fills it, with numbers that are spread like hashes.
    fn of(precision: u8, elements: u64) -> Hll {
        let mut registers = vec![0_u8; 1 << precision];
        for element in 0..elements {
            let hash = xxhash_rust::xxh3::xxh3_64(&element.to_le_bytes());
            let rank = (hash << precision).leading_zeros().min(64 - u32::from(precision)) + 1;
            let register = &mut registers[(hash >> (64 - precision)) as usize];
            *register = (*register).max(rank as u8);
        }
        Hll::from_registers(registers).expect("a power of two")
    }

    #[test]
    fn few_are_counted_and_many_estimated() {
        for elements in [0, 1, 2, 3, 10, 50] {
            assert_eq!(estimate(&of(14, elements)), elements);
        }
        for (precision, error) in [(14, 0.03), (10, 0.12), (4, 0.8)] {
            for elements in [1_000, 30_000, 300_000] {
                let found = estimate(&of(precision, elements)) as f64 / elements as f64;
                assert!((found - 1.0).abs() < error, "{elements} with {precision}: {found}");
            }
        }
    }
}
