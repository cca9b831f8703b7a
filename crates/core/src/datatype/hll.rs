//! HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007): how many distinct elements were added, roughly. Here are only
//! its registers and what is exact; the estimate needs floating point and is made where the answer is.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// The least precision: 16 registers.
pub const PRECISION_MIN: u8 = 4;
/// The greatest precision: 65,536 registers, of a byte each.
pub const PRECISION_MAX: u8 = 16;
/// Riak's: 16,384 registers, an error of 0.8 %.
pub const PRECISION_DEFAULT: u8 = 14;

/// The registers of a HyperLogLog: for each of 2^precision classes of elements the longest run of zeros seen in the
/// hash of one, plus one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hll {
    precision: u8,
    registers: Vec<u8>,
}

impl Hll {
    /// An empty one. `precision` is brought into [`PRECISION_MIN`]`..=`[`PRECISION_MAX`].
    pub fn new(precision: u8) -> Self {
        let precision = precision.clamp(PRECISION_MIN, PRECISION_MAX);
        Self { precision, registers: vec![0; 1 << precision] }
    }

    /// One with these registers. `None`: they are not a power of two of them within the precisions, or one is longer
    /// than a hash.
    pub fn from_registers(registers: Vec<u8>) -> Option<Self> {
        let precision = u8::try_from(registers.len().checked_ilog2()?).ok()?;
        let fits = registers.len() == 1 << precision
            && (PRECISION_MIN..=PRECISION_MAX).contains(&precision)
            && registers.iter().all(|&rank| rank <= 65 - precision);
        fits.then_some(Self { precision, registers })
    }

    /// How many bits of the hash choose the register.
    pub fn precision(&self) -> u8 {
        self.precision
    }

    /// The registers.
    pub fn registers(&self) -> &[u8] {
        &self.registers
    }

    /// Frozen: the first bits of the element's xxh3-64 choose the register, the rest counts.
    pub(super) fn add(&mut self, element: &[u8]) {
        let hash = xxh3_64(element);
        let index = (hash >> (64 - self.precision)) as usize;
        let rank = (hash << self.precision).leading_zeros().min(64 - u32::from(self.precision)) + 1;
        self.registers[index] = self.registers[index].max(rank as u8);
    }

    /// All that either has counted, with the lesser precision of the two.
    #[must_use]
    pub(super) fn merge(&self, other: &Self) -> Self {
        let precision = self.precision.min(other.precision);
        let (mut merged, other) = (self.reduced(precision), other.reduced(precision));
        for (own, &theirs) in merged.registers.iter_mut().zip(&other.registers) {
            *own = (*own).max(theirs);
        }
        merged
    }

    /// What it would be had it been made with a lesser `precision`: exact.
    #[must_use]
    pub(super) fn reduced(&self, precision: u8) -> Self {
        let precision = precision.max(PRECISION_MIN);
        if precision >= self.precision {
            return self.clone();
        }
        let spare = self.precision - precision;
        let mut reduced = Self::new(precision);
        for (index, &rank) in self.registers.iter().enumerate().filter(|(_, rank)| **rank > 0) {
            // The bits that chose among the registers that become one are the first of the rest now.
            let rest = (index & ((1 << spare) - 1)) as u32;
            let leading = rest.leading_zeros() - (32 - u32::from(spare));
            let rank = if rest == 0 { spare + rank } else { leading as u8 + 1 };
            let register = &mut reduced.registers[index >> spare];
            *register = (*register).max(rank);
        }
        reduced
    }
}

/// Tens of thousands of registers help nobody.
impl fmt::Debug for Hll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = self.registers.iter().filter(|rank| **rank > 0).count();
        write!(f, "Hll {{ {used} of {} registers used }}", self.registers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn of(precision: u8, elements: &[u32]) -> Hll {
        let mut hll = Hll::new(precision);
        elements.iter().for_each(|element| hll.add(&element.to_le_bytes()));
        hll
    }

    quickcheck! {
        fn a_reduced_one_is_what_it_would_have_been(elements: Vec<u32>, from: u8, to: u8) -> bool {
            let from = PRECISION_MIN + from % 13;
            let to = (PRECISION_MIN + to % 13).min(from);
            of(from, &elements).reduced(to) == of(to, &elements)
        }

        fn order_and_repetition_do_not_matter(one: Vec<u32>, other: Vec<u32>, p: u8, q: u8) -> bool {
            let (p, q) = (PRECISION_MIN + p % 13, PRECISION_MIN + q % 13);
            let merged = of(p, &one).merge(&of(q, &other));
            let together: Vec<u32> = other.iter().chain(&one).chain(&one).copied().collect();
            merged == of(p.min(q), &together)
        }
    }

    #[test]
    fn registers_that_no_element_can_have_left_are_not_taken() {
        assert!(Hll::from_registers(of(10, &[1, 2, 3]).registers().to_vec()).is_some());
        assert!(Hll::from_registers(Vec::new()).is_none());
        assert!(Hll::from_registers(vec![0; 17]).is_none());
        assert!(Hll::from_registers(vec![0; 8]).is_none());
        assert!(Hll::from_registers(vec![62; 16]).is_none());
    }
}
