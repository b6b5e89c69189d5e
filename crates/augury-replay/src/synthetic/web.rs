//! web: what a site's cache may see, the workload of the demonstration.
//!
//! A mixture of the published shapes: pages with drifting Zipf popularity, visitors in sessions,
//! addresses asked for once, and a crawler that walks the archive. Sizes are log-normal
//! throughout. The proportions are ours: popular pages rule, as in L. Breslau et al., INFOCOM
//! 1999, and most distinct objects come once, as in B. Maggs, R. Sitaraman, CCR 2015.

use rand::RngExt;
use rand_pcg::Pcg64;

use super::objects::{Sizes, Space};
use super::parameters::Values;
use super::popularity::Drift;
use super::sequences::{Scans, Sessions};
use super::stream::Generator;
use crate::trace::Request;

/// Shares of the requests; the rest is asked for once.
const PAGES: f64 = 0.40;
const VISITORS: f64 = 0.40;
const CRAWLER: f64 = 0.08;

/// web: four components and their sizes.
pub(super) struct Web {
    pages: Drift,
    visitors: Sessions,
    crawler: Scans,
    once: Space,
    newest: u64,
    sizes: Sizes,
}

impl Web {
    pub(super) fn new(values: &Values) -> Self {
        let (seed, objects) = (values.count("seed"), values.count("objects"));
        let alpha = values.real("alpha");
        Web {
            pages: Drift::new(Space::new(1, seed), objects, alpha, 5.0),
            visitors: Sessions::new(seed, objects.div_ceil(4), alpha, 200),
            crawler: Scans::new(Space::new(3, seed), objects * 4, 5_000),
            once: Space::new(2, seed),
            newest: 0,
            sizes: Sizes { median: values.real("median"), sigma: values.real("sigma") },
        }
    }
}

impl Generator for Web {
    fn draw(&mut self, now: f64, random: &mut Pcg64) -> Request {
        let chance = random.random::<f64>();
        let request = match chance {
            _ if chance < PAGES => self.pages.draw(now, random),
            _ if chance < PAGES + VISITORS => self.visitors.draw(now, random),
            _ if chance < PAGES + VISITORS + CRAWLER => self.crawler.draw(now, random),
            _ => {
                self.newest += 1;
                Request::read(self.once.id(self.newest), 1)
            }
        };
        Request { size: self.sizes.of(request.key), ..request }
    }
}
