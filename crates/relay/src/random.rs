//! Repeatable chance: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
//! number generators", 2014). Ten lines, one number of state, and the same on every machine.

use crate::direction::Destination;

/// One sequence of random numbers, the same again for the same seed.
///
/// ```
/// use relay::Random;
///
/// let mut random = Random::seeded(0);
/// assert_eq!(random.draw(), 0xe220_a839_7b1d_cdaf);
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence that this seed begins.
    pub fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    /// The sequence of one direction of one connection (or UDP client). What happens to the others doesn't
    /// change it.
    pub(crate) fn new(seed: u64, connection: u64, toward: Destination) -> Random {
        let number =
            connection.wrapping_mul(2).wrapping_add(u64::from(toward == Destination::Client));
        // Without this mixing, two neighbours would draw the same numbers, only a step apart.
        Random(seed ^ Random(number).draw())
    }

    /// A second sequence beside this one.
    pub(crate) fn fork(&mut self) -> Random {
        Random(self.draw())
    }

    /// The next number, of any size.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        let many = u128::from(most.saturating_sub(least)) + 1;
        // The high half of the product: no division, and no number is favoured by more than one
        // part in 2^64 / many.
        least + ((u128::from(self.draw()) * many) >> 64) as u64
    }

    /// Whether something with this probability, from 0 to 1, happens this time.
    pub fn happens(&mut self, probability: f64) -> bool {
        // 53 bits are what an f64 holds exactly; the result is below 1, so a probability of 1 is always.
        ((self.draw() >> 11) as f64 / (1u64 << 53) as f64) < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers for seed 0, as other implementations have them.
    #[test]
    fn it_is_splitmix64() {
        let mut random = Random(0);
        assert_eq!(random.draw(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.draw(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn both_ends_of_a_range_come_up_and_nothing_else() {
        let mut random = Random::new(1, 0, Destination::Server);
        let mut seen = [0; 10];
        for _ in 0..1000 {
            seen[random.between(2, 7) as usize] += 1;
        }
        assert_eq!(
            seen.map(|n| n > 0),
            [false, false, true, true, true, true, true, true, false, false]
        );
        assert_eq!(random.between(5, 5), 5);
        random.between(0, u64::MAX);
    }

    #[test]
    fn every_direction_of_every_connection_has_a_sequence_of_its_own() {
        let mut firsts: Vec<u64> = (0..100)
            .flat_map(|conn| {
                [Destination::Server, Destination::Client].map(|to| Random::new(7, conn, to).draw())
            })
            .collect();
        firsts.sort();
        firsts.dedup();
        assert_eq!(firsts.len(), 200);
    }
}
