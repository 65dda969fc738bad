//! Random choices that are the same at every run: one seed per inventory.

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// The source of an inventory's choices.
pub struct Dice(TestRng);

impl Dice {
    /// The choices of the inventory with that number: always the same.
    pub fn new(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `all`.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(u32::try_from(all.len()).unwrap()) as usize]
    }

    /// Some of `all`, in their order.
    pub fn some<T: Copy>(&mut self, all: &[T], percent: u32) -> Vec<T> {
        all.iter().copied().filter(|_| self.chance(percent)).collect()
    }
}
