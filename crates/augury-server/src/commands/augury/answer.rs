//! Parts of answers: names with values of which some are not known.

use augury_core::history::{History, NO_REUSE, bucket_start};

use crate::resp::Reply;

impl Reply<'_> {
    /// A field's name.
    pub(super) fn name(&mut self, name: &str) {
        self.bulk(name.as_bytes());
    }

    /// A field of text, or null.
    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        self.name(name);
        self.bulk_or_null(value.map(str::as_bytes));
    }

    /// A field with a whole number, or null.
    pub(super) fn count(&mut self, name: &str, value: Option<u64>) {
        self.name(name);
        match value {
            Some(value) => self.integer(value.min(i64::MAX as u64).cast_signed()),
            None => self.null(),
        }
    }

    /// A field with a number, or null: six digits are more than is known.
    pub(super) fn number(&mut self, name: &str, value: Option<f64>) {
        self.name(name);
        match value {
            Some(value) => self.double(rounded(value)),
            None => self.null(),
        }
    }

    /// A field that is true or false, or null.
    pub(super) fn flag(&mut self, name: &str, value: Option<bool>) {
        self.name(name);
        match value {
            Some(value) => self.boolean(value),
            None => self.null(),
        }
    }

    /// What is remembered of a key, at this tick.
    pub(super) fn history(&mut self, history: &History, now: u64) {
        let reuse = history.reuse();
        self.map(4);
        self.count("age", Some(history.age(now as u32).into()));
        self.count("count", Some(history.count.into()));
        self.number("heat", Some(history.heat().into()));
        self.count("reuse", (reuse != NO_REUSE).then(|| bucket_start(reuse)));
    }
}

/// With six significant digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(5 - value.abs().log10().floor() as i32);
    if scale.is_finite() { (value * scale).round() / scale } else { value }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn six_digits_are_shown() {
        for (value, expected) in
            [(0.0, 0.0), (1.0 / 3.0, 0.333333), (1_234_567.0, 1_234_570.0), (1e-320, 1e-320)]
        {
            assert_eq!(expected, rounded(value));
        }
    }
}
