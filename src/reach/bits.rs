//! Sets of small numbers: what makes "every conduit", "every cut" and "everything that comes after" cheap to ask.

/// A set of numbers below a bound that was given when it was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bits(Vec<u64>);

const WORD: usize = u64::BITS as usize;

impl Bits {
    /// An empty set of numbers below `bound`.
    pub fn new(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(WORD)])
    }
    /// The set of these numbers, all below `bound`.
    pub fn of(bound: usize, members: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self::new(bound);
        members.into_iter().for_each(|member| set.insert(member));
        set
    }
    /// Adds a number.
    pub fn insert(&mut self, member: usize) {
        self.0[member / WORD] |= 1 << (member % WORD);
    }
    /// Takes a number out.
    pub fn remove(&mut self, member: usize) {
        self.0[member / WORD] &= !(1 << (member % WORD));
    }
    /// Is the number in it?
    pub fn has(&self, member: usize) -> bool {
        self.0[member / WORD] & (1 << (member % WORD)) != 0
    }
    /// Adds all of another set.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }
    /// Takes all of another set out.
    pub fn take_out(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= !other);
    }
    /// Is all of this in the other?
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(word, other)| word & !other == 0)
    }
    /// Have the two something in common?
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(word, other)| word & other != 0)
    }
    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
    /// Its numbers, rising.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * WORD + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_put_in() {
        let mut set = Bits::of(200, [0, 63, 64, 199]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 199]);
        assert!(set.has(63) && !set.has(65));
        set.remove(63);
        let other = Bits::of(200, [0, 64, 100]);
        assert!(set.meets(&other) && !set.is_within(&other));
        set.take_out(&Bits::of(200, [199]));
        assert!(set.is_within(&other) && !set.is_empty());
        set.add(&other);
        assert_eq!(set, other);
    }
}
