//! Sequences seen in training and what came after them, as tables that cannot be malformed.
//!
//! A *token* numbers a value of the vocabulary (an object, or a step between keys) from 1 on; 0 is
//! whatever is not in it. A *context* is the latest tokens, the latest first and 0 after them, so
//! that shorter contexts are rows of the same table. Rows are sorted and found by bisection: no
//! hashing, no allocation, and a hostile file can make a table useless but not slow.
//!
//! This module must not know accesses, nor what a token stands for.

/// Tokens of the longest context.
pub const ORDER: usize = 3;
/// Values of a vocabulary, and continuations of a table, at most.
pub const MOST: usize = 1 << 18;

/// Number of a value in its vocabulary, from 1 on; 0 where it is not in it.
pub type Token = u32;
/// The latest tokens, latest first.
pub type Context = [Token; ORDER];

/// Why tables from a file are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GramsError {
    /// More than is held in memory.
    #[error("{count} {what} are more than the {MOST} that are held")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// Parts that belong together have different lengths.
    #[error("{what} do not fit together: {lengths:?}")]
    Lengths {
        /// Which parts.
        what: &'static str,
        /// Their lengths.
        lengths: Vec<usize>,
    },
    /// What is found by bisection is not in order, or there twice.
    #[error("the {what} are not in ascending order at {at}")]
    Order {
        /// Of what.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// A token that the vocabulary does not have.
    #[error("token {token} is not in a vocabulary of {size}")]
    Token {
        /// The token.
        token: Token,
        /// Values of the vocabulary.
        size: usize,
    },
    /// The rows of a context are not a part of the table.
    #[error("the continuations of context {at} are not a part of the table")]
    Span {
        /// Which context.
        at: usize,
    },
    /// A chance that is none.
    #[error("continuation {at} has the chance {chance}, which is not from 0 to 1")]
    Chance {
        /// Which continuation.
        at: usize,
        /// Its chance, as text.
        chance: String,
    },
}

/// The values that tokens stand for, in ascending order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Vocabulary<V>(Vec<V>);

impl<V: Copy + Ord> Vocabulary<V> {
    /// Of these values, each once, in ascending order.
    pub fn new(values: Vec<V>) -> Result<Self, GramsError> {
        let what = "values of the vocabulary";
        bounded(what, values.len())?;
        ascending(what, &values)?;
        Ok(Vocabulary(values))
    }

    /// The token of a value.
    #[inline]
    pub fn token(&self, value: V) -> Token {
        self.0.binary_search(&value).map_or(0, |at| at as Token + 1)
    }

    /// The value of a token other than 0 that [`Grams`] has checked.
    #[inline]
    pub fn value(&self, token: Token) -> V {
        self.0[token as usize - 1]
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.0.capacity() * size_of::<V>()
    }
}

/// What came after a context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Continuation {
    /// The value that came.
    pub token: Token,
    /// How often it did in training: its share, from 0 to 1.
    pub chance: f32,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grams {
    contexts: Vec<Context>,
    /// Where the continuations of each context begin, and at last where they end.
    starts: Vec<u32>,
    continuations: Vec<Continuation>,
}

impl Grams {
    /// Of contexts in ascending order. Those of `contexts[n]` are the continuations from
    /// `starts[n]` up to `starts[n + 1]`; tokens are of a vocabulary of `size` values.
    pub fn new(
        contexts: Vec<Context>,
        starts: Vec<u32>,
        continuations: Vec<Continuation>,
        size: usize,
    ) -> Result<Self, GramsError> {
        bounded("contexts", contexts.len())?;
        bounded("continuations", continuations.len())?;
        if starts.len() != contexts.len() + 1 {
            let lengths = vec![contexts.len(), starts.len()];
            return Err(GramsError::Lengths { what: "contexts and starts", lengths });
        }
        ascending("contexts", &contexts)?;
        let end = continuations.len();
        let is_whole = starts[0] == 0 && starts[contexts.len()] as usize == end;
        let wrong = starts.windows(2).position(|pair| pair[0] > pair[1]);
        if let Some(at) = wrong.or((!is_whole).then_some(0)) {
            return Err(GramsError::Span { at });
        }
        let is_foreign = |token: &Token| *token as usize > size;
        if let Some(&token) = contexts.as_flattened().iter().find(|token| is_foreign(token)) {
            return Err(GramsError::Token { token, size });
        }
        for (at, &Continuation { token, chance }) in continuations.iter().enumerate() {
            if token == 0 || is_foreign(&token) {
                return Err(GramsError::Token { token, size });
            }
            if !(0.0..=1.0).contains(&chance) {
                return Err(GramsError::Chance { at, chance: chance.to_string() });
            }
        }
        Ok(Grams { contexts, starts, continuations })
    }

    /// What came after this context.
    #[inline]
    pub fn after(&self, context: &Context) -> &[Continuation] {
        let Ok(at) = self.contexts.binary_search(context) else { return &[] };
        &self.continuations[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Continuations in all.
    pub fn len(&self) -> usize {
        self.continuations.len()
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.continuations.is_empty()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.contexts.capacity() * size_of::<Context>()
            + self.starts.capacity() * size_of::<u32>()
            + self.continuations.capacity() * size_of::<Continuation>()
    }
}

/// The context cut to its latest `order` tokens; none where one of them is unknown.
#[inline]
pub fn shortened(context: &Context, order: usize) -> Option<Context> {
    let mut short = Context::default();
    short[..order].copy_from_slice(&context[..order]);
    (!short[..order].contains(&0)).then_some(short)
}

fn bounded(what: &'static str, count: usize) -> Result<(), GramsError> {
    if count > MOST { Err(GramsError::TooMany { what, count }) } else { Ok(()) }
}

fn ascending<T: Ord>(what: &'static str, rows: &[T]) -> Result<(), GramsError> {
    match rows.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(at) => Err(GramsError::Order { what, at: at + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn continuation(token: Token) -> Continuation {
        Continuation { token, chance: 0.5 }
    }

    #[test]
    fn contexts_are_found_and_shortened() {
        let contexts = vec![[0, 0, 0], [1, 0, 0], [1, 2, 0]];
        let found = vec![continuation(1), continuation(2), continuation(3)];
        let grams = Grams::new(contexts, vec![0, 1, 1, 3], found.clone(), 3).unwrap();
        assert_eq!(&found[..1], grams.after(&[0, 0, 0]));
        assert_eq!(&found[1..], grams.after(&[1, 2, 0]));
        assert!(grams.after(&[1, 0, 0]).is_empty() && grams.after(&[2, 0, 0]).is_empty());
        assert_eq!(Some([1, 2, 0]), shortened(&[1, 2, 3], 2));
        assert_eq!(Some([0, 0, 0]), shortened(&[0, 2, 3], 0));
        assert_eq!(None, shortened(&[1, 0, 3], 2));
    }

    #[test]
    fn tables_that_are_none_have_their_word() {
        let new = |contexts: &[Context], starts: &[u32], token, chance| {
            let found = vec![Continuation { token, chance }];
            Grams::new(contexts.to_vec(), starts.to_vec(), found, 2).unwrap_err()
        };
        let two = [[1, 0, 0], [2, 0, 0]];
        assert_eq!(GramsError::Span { at: 1 }, new(&two, &[0, 2, 1], 1, 0.5));
        assert_eq!(GramsError::Span { at: 0 }, new(&two, &[0, 1, 2], 1, 0.5));
        assert_eq!(GramsError::Span { at: 0 }, new(&two, &[1, 1, 1], 1, 0.5));
        assert_eq!(GramsError::Token { token: 3, size: 2 }, new(&two, &[0, 1, 1], 3, 0.5));
        assert_eq!(GramsError::Token { token: 0, size: 2 }, new(&two, &[0, 1, 1], 0, 0.5));
        let foreign = new(&[[9, 0, 0]], &[0, 1], 1, 0.5);
        assert_eq!(GramsError::Token { token: 9, size: 2 }, foreign);
        let order = GramsError::Order { what: "contexts", at: 1 };
        assert_eq!(order, new(&[[1, 0, 0], [1, 0, 0]], &[0, 1, 1], 1, 0.5));
        assert!(matches!(new(&two, &[0, 1], 1, 0.5), GramsError::Lengths { .. }));
        for chance in [f32::NAN, -0.1, 1.1] {
            assert!(matches!(new(&two, &[0, 1, 1], 1, chance), GramsError::Chance { at: 0, .. }));
        }
        let many = Vocabulary::new((0..=MOST as u64).collect()).unwrap_err();
        assert!(matches!(many, GramsError::TooMany { .. }));
        let order = GramsError::Order { what: "values of the vocabulary", at: 2 };
        assert_eq!(order, Vocabulary::new(vec![1, 3, 2]).unwrap_err());
    }
}
