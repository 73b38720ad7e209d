//! Draws that are the same on every machine: each record has its own generator, made from the seed, the kind and
//! the record's number, so that neither the count nor the order of records changes any of them.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng as _, SeedableRng as _};

/// What a record is; kinds draw from different streams.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Product = 1,
    Customer = 2,
    Opportunity = 3,
    Ticket = 4,
    Interaction = 5,
}

/// A stream of draws for one record.
pub(super) struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The stream of record `index` of a kind. The algorithm is named, unlike that of rand's `StdRng`, which may
    /// change with any release.
    pub(super) fn new(seed: u64, kind: Kind, index: u64) -> Self {
        let stream = Xoshiro256PlusPlus::seed_from_u64(seed ^ (kind as u64) << 56).next_u64();
        Self(Xoshiro256PlusPlus::seed_from_u64(stream ^ index))
    }

    /// A number below `bound`, by the high half of a product, so that no release of rand can change it.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let high = self.0.next_u64() >> 32;
        ((high * u64::from(bound)) >> 32) as u32
    }

    /// The number of one of so many records.
    pub(super) fn index(&mut self, count: u64) -> u64 {
        u64::from(self.below(u32::try_from(count).unwrap_or(u32::MAX)))
    }

    /// The number of a customer that something happens to: half of all goes to any of them, three tenths to every tenth
    /// one and two tenths to every hundredth one. So a few have very many of everything, and most have few.
    pub(super) fn customer(&mut self, count: u64) -> u64 {
        let step = match self.below(10) {
            0..5 => 1,
            5..8 => 10,
            _ => 100,
        };
        self.index(count.div_ceil(step)) * step
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// One of a list.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(u32::try_from(list.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// Up to `most` different ones of a list, in the list's order.
    pub(super) fn some<T: Copy>(&mut self, list: &[T], most: u32) -> Vec<T> {
        let wanted = self.below(most + 1);
        let mut left = wanted;
        let mut chosen = Vec::new();
        for (index, item) in list.iter().enumerate() {
            let remaining = u32::try_from(list.len() - index).unwrap_or(u32::MAX);
            if self.below(remaining) < left {
                chosen.push(*item);
                left -= 1;
            }
        }
        chosen
    }

    /// A pattern with each `#` made a digit.
    pub(super) fn digits(&mut self, pattern: &str) -> String {
        pattern
            .chars()
            .map(|c| if c == '#' { *self.pick(&DIGITS) } else { c })
            .collect()
    }
}

const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_belongs_to_its_record() {
        let first = |seed, kind, index| Draw::new(seed, kind, index).below(u32::MAX);
        assert_eq!(first(1, Kind::Customer, 7), first(1, Kind::Customer, 7));
        assert_ne!(first(1, Kind::Customer, 7), first(2, Kind::Customer, 7));
        assert_ne!(first(1, Kind::Customer, 7), first(1, Kind::Product, 7));
        assert_ne!(first(1, Kind::Customer, 7), first(1, Kind::Customer, 8));
    }

    #[test]
    fn draws_stay_in_their_bounds_and_reach_them() {
        let mut draw = Draw::new(1, Kind::Customer, 0);
        let drawn: std::collections::BTreeSet<_> = (0..1000).map(|_| draw.between(3, 6)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
        for _ in 0..100 {
            let some = draw.some(&[1, 2, 3, 4, 5], 3);
            assert!(some.len() <= 3 && some.is_sorted());
            assert!(draw.customer(7) < 7 && draw.customer(101) < 101);
        }
        assert_eq!(draw.digits("a-##").len(), 4);
    }
}
