//! Who may say when to reload, by name and one number that is swept.

use crate::replay::ReplayError;

/// One way to refresh, with its parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contender {
    /// Nobody: entries expire.
    Nothing,
    /// The engine's planner, within a budget of extra loads.
    Planned {
        /// Loads that may be added, as a share of those without refresh.
        budget: f64,
    },
    /// XFetch (Vattani et al., PVLDB 2015): a hit reloads, the likelier the nearer the deadline.
    XFetch {
        /// Its beta, at a load time of a hundredth of the TTL.
        beta: f64,
    },
    /// At its deadline an entry is reloaded if it was asked for of late.
    MostRecent {
        /// How late, in TTLs.
        within: f64,
    },
    /// At its deadline an entry is reloaded if its key's mean pace, over the whole trace, is high
    /// enough: of stationary Poisson processes nothing better can be said without the future.
    Rates {
        /// Least requests per TTL.
        least: f64,
    },
    /// At its deadline an entry is reloaded if it will be asked for soon.
    Clairvoyant {
        /// How soon, in TTLs; 1 reloads all that is asked for in the life of the reload.
        within: f64,
    },
}

impl Contender {
    /// All names.
    pub const NAMES: [&str; 6] =
        ["nothing", "planned", "xfetch", "most-recent", "rates", "clairvoyant"];

    /// The contender of this name with its parameter, which must not be negative.
    pub fn new(name: &str, parameter: f64) -> Result<Self, ReplayError> {
        if !(0.0..=1e9).contains(&parameter) {
            return Err(ReplayError::RefreshParameter { given: parameter });
        }
        match name {
            "nothing" => Ok(Contender::Nothing),
            "planned" => Ok(Contender::Planned { budget: parameter }),
            "xfetch" => Ok(Contender::XFetch { beta: parameter }),
            "most-recent" => Ok(Contender::MostRecent { within: parameter }),
            "rates" => Ok(Contender::Rates { least: parameter }),
            "clairvoyant" => Ok(Contender::Clairvoyant { within: parameter }),
            _ => Err(ReplayError::Refresher {
                given: name.to_owned(),
                expected: Self::NAMES.join(", "),
            }),
        }
    }
}
