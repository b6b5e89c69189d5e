//! What is remembered of one object: 16 bytes, updated at every access, read at every decision.

use super::age::age_bucket;

/// Stands for "accessed once, never again yet" where a reuse time bucket is expected.
pub const NO_REUSE: u8 = 127;

/// Sizes are told apart in steps of eight from 128 bytes on.
pub const SIZE_BUCKETS: u8 = 8;

/// The history of one object.
///
/// Ticks are cut to 32 bits; ages are differences and stay right up to four billion requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// Tick of the latest access.
    pub last: u32,
    /// Tick at which the object became resident.
    pub born: u32,
    /// Accesses remembered, saturating.
    pub count: u16,
    /// Exponentially decayed count at `last`, see [`History::heat`].
    heat: u16,
    /// Class (10 bits from the lowest), namespace (11), latest reuse time (7), size (3).
    marks: u32,
}

/// Classes of the survival model that there are numbers for.
pub const CLASSES_MAX: usize = 1 << 10;
/// Places of namespaces that there are numbers for.
pub const NAMESPACES_MAX: usize = 1 << 11;

const CLASS: Bits = Bits { shift: 0, width: 10 };
const NAMESPACE: Bits = Bits { shift: 10, width: 11 };
const REUSE: Bits = Bits { shift: 21, width: 7 };
const SIZE: Bits = Bits { shift: 28, width: 3 };

/// Some of the bits of a word.
#[derive(Clone, Copy)]
struct Bits {
    shift: u32,
    width: u32,
}

impl Bits {
    const fn mask(self) -> u32 {
        (1 << self.width) - 1
    }

    #[inline]
    const fn get(self, word: u32) -> u32 {
        word >> self.shift & self.mask()
    }

    #[inline]
    const fn set(self, word: u32, value: u32) -> u32 {
        word & !(self.mask() << self.shift) | (value & self.mask()) << self.shift
    }
}

/// Exponent of the smallest heat that is told apart from zero.
const HEAT_MIN: u32 = (127 - 8) << 23;

impl History {
    /// The history of an object seen for the first time.
    #[inline]
    pub fn first(now: u32, size: u32) -> Self {
        let marks = REUSE.set(SIZE.set(0, size_bucket(size).into()), NO_REUSE.into());
        let mut history = History { last: now, born: now, count: 1, heat: 0, marks };
        history.set_heat(1.0);
        history
    }

    /// One built from its parts, for histories that come back from a ghost.
    #[inline]
    pub(super) fn restored(last: u32, count: u16, heat: u16, reuse: u8, size: u8) -> Self {
        let marks = REUSE.set(SIZE.set(0, size.into()), reuse.into());
        History { last, born: last, count, heat, marks }
    }

    /// Takes over a size that was not known before.
    pub(crate) fn set_size(&mut self, size: u32) {
        self.marks = SIZE.set(self.marks, size_bucket(size).into());
    }

    /// Class of the survival model.
    #[inline]
    pub fn class(&self) -> u16 {
        CLASS.get(self.marks) as u16
    }

    /// Takes over a class, below [`CLASSES_MAX`].
    #[inline]
    pub fn set_class(&mut self, class: u16) {
        debug_assert!(usize::from(class) < CLASSES_MAX, "class {class}");
        self.marks = CLASS.set(self.marks, class.into());
    }

    /// Place of the namespace among those whose rhythm is known, 0 where it has none.
    #[inline]
    pub fn namespace(&self) -> u16 {
        NAMESPACE.get(self.marks) as u16
    }

    /// Takes over a namespace's place, below [`NAMESPACES_MAX`]. Ghosts do not keep it.
    #[inline]
    pub fn set_namespace(&mut self, place: u16) {
        debug_assert!(usize::from(place) < NAMESPACES_MAX, "namespace {place}");
        self.marks = NAMESPACE.set(self.marks, place.into());
    }

    /// Bucket of the latest reuse time, or [`NO_REUSE`].
    #[inline]
    pub fn reuse(&self) -> u8 {
        REUSE.get(self.marks) as u8
    }

    /// Bucket of the size.
    #[inline]
    pub fn size(&self) -> u8 {
        SIZE.get(self.marks) as u8
    }

    /// Requests since the latest access.
    #[inline]
    pub fn age(&self, now: u32) -> u32 {
        now.wrapping_sub(self.last)
    }

    /// Records an access. `cooling` is the reciprocal of the heat's half-life in requests.
    #[inline]
    pub fn touch(&mut self, now: u32, cooling: f32) {
        let age = self.age(now);
        self.set_heat(self.heat() * halvings(age as f32 * cooling) + 1.0);
        self.marks = REUSE.set(self.marks, age_bucket(age).into());
        self.count = self.count.saturating_add(1);
        self.last = now;
    }

    /// The count at `last` in which an access one half-life ago weighs a half: between 2^-8 and
    /// 2^24, to three digits.
    #[inline]
    pub fn heat(&self) -> f32 {
        heat_of(self.heat)
    }

    #[inline]
    fn set_heat(&mut self, heat: f32) {
        self.heat = heat_code(heat);
    }

    /// Takes over how hot it is at this tick, as several caches have seen it: less noise than what one
    /// has. `cooling` as for [`History::touch`].
    pub fn hear(&mut self, heat: f32, now: u32, cooling: f32) {
        let since = (self.age(now) as f32 * cooling).min(MOST_HALVINGS);
        self.set_heat((heat * since.exp2()).min(HEAT_MAX));
        self.count = self.count.max(1 + heat.min(f32::from(u16::MAX - 1)).round() as u16);
    }

    /// As [`History::hear`] at an access, which has been recorded: it comes on top of what was heard
    /// of the others before it. What is known here is not taken back.
    #[inline]
    pub fn hear_before(&mut self, code: u16) {
        let heat = 1.0 + heat_of(code);
        if heat > self.heat() {
            self.set_heat(heat);
            self.count = self.count.max(heat.min(f32::from(u16::MAX)).round() as u16);
        }
    }

    /// The heat in octaves: 0 below 1, then 1 to 2, 2 to 4, 4 to 8, ...
    #[inline]
    pub fn heat_step(&self) -> usize {
        usize::from(self.heat >> 11).saturating_sub(7)
    }

    /// The heat as it is stored.
    #[inline]
    pub(super) fn heat_code(&self) -> u16 {
        self.heat
    }
}

/// Half-lives that a heat is traced back over, at most, and the largest heat.
const MOST_HALVINGS: f32 = 16.0;
const HEAT_MAX: f32 = (1 << 24) as f32;

/// A heat in 16 bits, as [`History::heat`] reads it; 0 for one too small to tell from none.
#[inline]
pub fn heat_code(heat: f32) -> u16 {
    let code = (heat.to_bits() + (1 << 11)).saturating_sub(HEAT_MIN) >> 12;
    code.min(u32::from(u16::MAX)) as u16
}

/// The heat of a code.
#[inline]
pub fn heat_of(code: u16) -> f32 {
    f32::from_bits((u32::from(code) << 12) + HEAT_MIN)
}

/// 2^-x for x >= 0 within 6%, monotonic: the exponent of a float filled in linearly.
#[inline]
pub(crate) fn halvings(x: f32) -> f32 {
    // One instruction each, which `min` and a saturating cast are not: 16 of these per eviction.
    let x = if x < 126.0 { x } else { 126.0 };
    let x = if x > 0.0 { x } else { 0.0 };
    let bits = (127.0 - x) * (1 << 23) as f32;
    // SAFETY: x is from 0 to 126, whatever it was before, so this is from 2^23 to 127 * 2^23.
    f32::from_bits(unsafe { bits.to_int_unchecked::<i32>() } as u32)
}

#[inline]
fn size_bucket(size: u32) -> u8 {
    // 1..127: 0, then a step for every three powers of two.
    let bits = 32 - size.leading_zeros();
    (bits.saturating_sub(5) / 3).min(u32::from(SIZE_BUCKETS) - 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_sixteen_bytes() {
        assert_eq!(16, size_of::<History>());
    }

    #[test]
    fn heat_halves_with_the_half_life() {
        let mut history = History::first(0, 1);
        for _ in 0..9 {
            history.touch(0, 0.01);
        }
        assert!((history.heat() - 10.0).abs() < 0.01, "{}", history.heat());
        history.touch(100, 0.01);
        assert!((history.heat() - 6.0).abs() < 0.01, "{}", history.heat());
    }

    #[test]
    fn heat_steps_are_octaves() {
        let mut history = History::first(0, 1);
        for expected in [1, 2, 2, 3, 3, 3, 3, 4] {
            assert_eq!(expected, history.heat_step(), "{}", history.heat());
            history.touch(0, 0.0);
        }
    }

    #[test]
    fn ages_survive_the_wrap_of_ticks() {
        let mut history = History::first(u32::MAX - 1, 1);
        assert_eq!(7, history.age(5));
        history.touch(5, 0.0);
        assert_eq!(age_bucket(7), history.reuse());
    }

    #[test]
    fn marks_do_not_touch_each_other() {
        let mut history = History::first(0, u32::MAX);
        history.touch(u32::MAX, 0.0);
        history.set_class(1_023);
        history.set_namespace(1_024);
        assert_eq!(
            (1_023, 1_024, 123, 7),
            (history.class(), history.namespace(), history.reuse(), history.size())
        );
        history.set_class(0);
        assert_eq!((0, 1_024, 123), (history.class(), history.namespace(), history.reuse()));
    }
}
