//! Which of many ranges of addresses holds an address.

use std::net::IpAddr;

/// Ranges of addresses, searched by bisection.
pub(super) struct Holders<T> {
    /// By first address: the first address, the last address and the value of the range that reaches farthest so far.
    ranges: Vec<(IpAddr, IpAddr, IpAddr, T)>,
}

impl<T: Copy> Holders<T> {
    pub(super) fn new(ranges: impl Iterator<Item = (IpAddr, IpAddr, T)>) -> Self {
        let mut ranges: Vec<_> = ranges.map(|(first, last, whose)| (first, first, last, whose)).collect();
        ranges.sort_by_key(|range| (range.0, range.2));
        for at in 1..ranges.len() {
            let (before, range) = (ranges[at - 1], ranges[at]);
            if before.2 > range.2 {
                ranges[at] = (range.0, before.1, before.2, before.3);
            }
        }
        Self { ranges }
    }

    pub(super) fn find(&self, address: IpAddr) -> Option<T> {
        let after = self.ranges.partition_point(|range| range.0 <= address);
        let (_, first, last, whose) = *self.ranges[..after].last()?;
        (first <= address && address <= last).then_some(whose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_find_what_is_nested_and_what_is_not() {
        let ip = |last: u8| IpAddr::from([10, 0, 0, last]);
        let ranges = [(40, 50, 'c'), (10, 30, 'a'), (12, 14, 'b')];
        let holders = Holders::new(ranges.into_iter().map(|range| (ip(range.0), ip(range.1), range.2)));
        let found = [9, 10, 13, 20, 30, 31, 40, 50, 51].map(|last| holders.find(ip(last)));
        let a = Some('a');
        assert_eq!(found, [None, a, a, a, a, None, Some('c'), Some('c'), None]);
        assert_eq!(holders.find("fd00::1".parse().unwrap()), None);
    }
}
