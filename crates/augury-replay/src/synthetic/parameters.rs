//! Parameters of synthetic workloads: declared once, parsed and checked from that declaration.
//!
//! `zipf?n=1000000&alpha=0.9` names a shape and overrides defaults; a bad name or value is
//! answered with the names and ranges there are.

use crate::trace::TraceError;

/// One parameter of a workload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The value where none is given.
    pub default: f64,
    /// Smallest value.
    pub least: f64,
    /// Largest value.
    pub most: f64,
    /// Whether it is a whole number.
    pub whole: bool,
    /// What it means.
    pub meaning: &'static str,
}

const LARGEST_COUNT: f64 = 1e12;

/// A number of things, at least 1 and at most `most`.
pub(crate) const fn count(
    name: &'static str,
    default: f64,
    most: f64,
    meaning: &'static str,
) -> Parameter {
    Parameter { name, default, least: 1.0, most, whole: true, meaning }
}

/// A share, 0 to 1.
pub(crate) const fn share(name: &'static str, default: f64, meaning: &'static str) -> Parameter {
    Parameter { name, default, least: 0.0, most: 1.0, whole: false, meaning }
}

/// A real number in a range.
pub(crate) const fn real(
    name: &'static str,
    default: f64,
    (least, most): (f64, f64),
    meaning: &'static str,
) -> Parameter {
    Parameter { name, default, least, most, whole: false, meaning }
}

/// What every workload has.
pub(crate) const COMMON: [Parameter; 3] = [
    count("n", 1e6, LARGEST_COUNT, "requests"),
    Parameter {
        name: "seed",
        default: 1.0,
        least: 0.0,
        most: 9_007_199_254_740_991.0,
        whole: true,
        meaning: "same seed, same requests",
    },
    real("rate", 100.0, (1e-6, 1e9), "requests per second, for the times"),
];

/// Values for a workload's parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values(Vec<(Parameter, f64)>);

impl Values {
    /// Defaults, overridden by `name=value` pairs joined by `&`.
    pub(crate) fn parse(own: &[Parameter], text: &str) -> Result<Self, TraceError> {
        let declared = COMMON.iter().filter(|common| own.iter().all(|one| one.name != common.name));
        let declared = declared.chain(own);
        let mut values = Values(declared.map(|one| (*one, one.default)).collect());
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let names: Vec<&str> = values.0.iter().map(|(one, _)| one.name).collect();
            let expected = format!("one of {}", names.join(", "));
            let Some((one, place)) = values.0.iter_mut().find(|(one, _)| one.name == name) else {
                return Err(invalid(name, value, expected));
            };
            *place = one.read(value)?;
        }
        Ok(values)
    }

    /// The value of a declared parameter.
    pub(crate) fn real(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(one, _)| one.name == name);
        found.unwrap_or_else(|| panic!("the shape does not declare {name}")).1
    }

    /// The value of a declared whole parameter.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.real(name) as u64
    }
}

impl Parameter {
    fn read(&self, text: &str) -> Result<f64, TraceError> {
        let value = text.parse::<f64>().ok().filter(|value| {
            (self.least..=self.most).contains(value) && (!self.whole || value.fract() == 0.0)
        });
        value.ok_or_else(|| {
            let kind = if self.whole { "a whole number" } else { "a number" };
            let expected = format!("{kind} from {} to {}", self.least, self.most);
            invalid(self.name, text, expected)
        })
    }
}

fn invalid(name: &str, found: &str, expected: String) -> TraceError {
    TraceError::InvalidOption {
        option: format!("synthetic parameter {name}"),
        found: found.to_owned(),
        expected,
    }
}
