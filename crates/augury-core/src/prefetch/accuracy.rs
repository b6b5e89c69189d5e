//! How often predictions came true: per class of evidence, and per namespace.
//!
//! Every prediction is followed up, those that were acted on and a sample of those that were not,
//! so that what has fallen silent can come back. A class begins as if it had failed: it must show
//! itself first. A namespace whose predictions come true less often than their classes promise
//! has all its predictions marked down by that ratio: this is the gate that closes on a
//! namespace in which prefetch does harm.

use super::predictor::CLASSES;

/// Namespaces tracked; the rest share one.
pub const NAMESPACES: usize = 1_024;
/// Failures that a class begins with.
const DOUBT: f32 = 16.0;
/// Outcomes after which older ones weigh half.
const MEMORY: f32 = 400.0;
/// Promises after which a namespace's older ones weigh half, and those it begins with.
const NAMESPACE_MEMORY: f32 = 60.0;
const NAMESPACE_START: f32 = 3.0;
/// The share of a promise by which a namespace may be marked up.
const MARK_UP: f32 = 1.1;

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    tried: f32,
    came: f32,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Accuracy {
    classes: [Tally; CLASSES],
    /// Promised and kept, per tracked namespace; the first is shared by the rest.
    namespaces: Vec<Tally>,
    /// Place of a namespace in `namespaces`; empty until there is one.
    places: Vec<u16>,
}

const FRESH: Tally = Tally { tried: NAMESPACE_START, came: NAMESPACE_START };

impl Default for Accuracy {
    fn default() -> Self {
        Accuracy {
            classes: [Tally::default(); CLASSES],
            namespaces: vec![FRESH],
            places: Vec::new(),
        }
    }
}

impl Accuracy {
    #[inline]
    fn of_class(&self, class: u8) -> f32 {
        let Tally { tried, came } = self.classes[usize::from(class)];
        came / (tried + DOUBT)
    }

    /// The chance that a prediction of this class in this namespace comes true.
    #[inline]
    pub(super) fn chance(&mut self, class: u8, namespace: u16) -> f32 {
        let place = self.place_of(namespace);
        let Tally { tried, came } = self.namespaces[place];
        (self.of_class(class) * (came / tried).min(MARK_UP)).min(0.99)
    }

    /// What became of a prediction.
    #[inline]
    pub(super) fn note(&mut self, class: u8, namespace: u16, came_true: bool) {
        let promised = self.of_class(class);
        let place = self.place_of(namespace);
        let of_namespace = &mut self.namespaces[place];
        of_namespace.tried += promised;
        of_namespace.came += f32::from(u8::from(came_true));
        if of_namespace.tried > NAMESPACE_MEMORY {
            of_namespace.tried /= 2.0;
            of_namespace.came /= 2.0;
        }
        let of_class = &mut self.classes[usize::from(class)];
        of_class.tried += 1.0;
        of_class.came += f32::from(u8::from(came_true));
        if of_class.tried > MEMORY {
            of_class.tried /= 2.0;
            of_class.came /= 2.0;
        }
    }

    #[inline]
    fn place_of(&mut self, namespace: u16) -> usize {
        if namespace == 0 {
            return 0;
        }
        if self.places.is_empty() {
            self.places.resize(1 << 16, 0);
        }
        let place = &mut self.places[usize::from(namespace)];
        if *place == 0 && self.namespaces.len() <= NAMESPACES {
            *place = self.namespaces.len() as u16;
            self.namespaces.push(FRESH);
        }
        usize::from(*place)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.namespaces.capacity() * size_of::<Tally>()
            + self.places.capacity() * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_must_show_itself_and_can_come_back() {
        let mut accuracy = Accuracy::default();
        assert_eq!(0.0, accuracy.chance(3, 0));
        (0..200).for_each(|_| accuracy.note(3, 0, true));
        assert!(accuracy.chance(3, 0) > 0.9);
        (0..1_000).for_each(|_| accuracy.note(3, 0, false));
        assert!(accuracy.chance(3, 0) < 0.1);
        (0..1_000).for_each(|_| accuracy.note(3, 0, true));
        assert!(accuracy.chance(3, 0) > 0.8);
    }

    #[test]
    fn a_namespace_that_breaks_the_promise_is_marked_down_alone() {
        let mut accuracy = Accuracy::default();
        for _ in 0..2_000 {
            accuracy.note(3, 1, true);
            accuracy.note(3, 2, false);
        }
        assert!(accuracy.chance(3, 2) < 0.05 && accuracy.chance(3, 1) > 0.4);
    }

    #[test]
    fn more_namespaces_than_are_tracked_share_one() {
        let mut accuracy = Accuracy::default();
        (1..=u16::MAX).for_each(|namespace| accuracy.note(0, namespace, false));
        assert_eq!(NAMESPACES + 1, accuracy.namespaces.len());
    }
}
