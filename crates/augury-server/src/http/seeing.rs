//! What a user may see of the server, who may run INFO: what the commands AUGURY.CURVE, AUGURY.SHADOWS, AUGURY.HOTKEYS,
//! AUGURY.BIGKEYS and AUGURY.EXPLAIN would tell it, and of keys only those that it may read.

use augury_core::slots::SlotId;
use augury_page::course::Glance;
use augury_page::seen::{
    BigKey, Counts, CurvePoint, Eviction, Expert, HotKey, Part, Prefetch, Reason, Seen, Shadow,
    Shadows, Unit,
};
use augury_page::text::shown;

use crate::acl::catalog::{Number, catalog};
use crate::acl::user::User;
use crate::commands::keys::type_of;
use crate::keyspace::Keyspace;
use crate::keyspace::leavers::Leaver;
use crate::object::Object;
use crate::server::Server;

/// Rows of a table.
const ROWS: usize = 10;
/// Evictions shown.
const EVICTIONS: usize = 20;

const SIMULATE: &str = "Other capacities and policies are not simulated, as that costs time with \
    every request. Switch it on while the server runs by CONFIG SET simulate yes, or start it with \
    --simulate yes.";

/// The counters, and the latest of the shadows.
pub(super) fn glance(server: &Server) -> Glance {
    let (own, others) = rivals(&server.keyspace);
    let others = others.into_iter().map(|it| (it.name, it.hit_ratio)).collect();
    Glance { at: server.now, counts: counts(server), own, others }
}

fn counts(server: &Server) -> Counts {
    let stats = server.keyspace.stats();
    Counts {
        hits: stats.hits,
        misses: stats.misses,
        insertions: stats.insertions,
        evictions: stats.evicted,
        rejections: stats.rejections,
        expired: stats.expired,
    }
}

/// What the cache, and what other policies, have hit of late, where that is simulated.
fn rivals(keyspace: &Keyspace) -> (Option<f64>, Vec<Shadow>) {
    let Some((own, others)) = keyspace.rivals().and_then(|it| it.hit_ratios()) else {
        return (None, Vec::new());
    };
    let others = others.into_iter();
    (Some(own), others.map(|(name, ratio)| shadow(name.name(), ratio)).collect())
}

fn shadow(name: &str, hit_ratio: f64) -> Shadow {
    Shadow { name: name.to_owned(), hit_ratio: Some(hit_ratio) }
}

/// A user, before a server.
struct Look<'a> {
    server: &'a mut Server,
    user: &'a User,
}

/// What this user may see.
pub(super) fn see(server: &mut Server, user: &User) -> Seen {
    let mut look = Look { server, user };
    let (hot, big, evictions) = (look.hot(), look.big(), look.evictions());
    let (shadows, experts, curve, prefetch) =
        (look.shadows(), look.experts(), look.curve(), look.prefetch());
    let keyspace = &look.server.keyspace;
    let server = &*look.server;
    Seen {
        name: "augury server".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: server.now,
        since: server.started,
        policy: server.settings.policy.name().to_owned(),
        ruling: keyspace.ruling().map(str::to_owned),
        counts: counts(server),
        unit: Unit::Bytes,
        capacity: keyspace.capacity(),
        used: keyspace.used(),
        entries: keyspace.count() as u64,
        shadows,
        experts,
        curve,
        hot,
        big,
        prefetch,
        evictions,
    }
}

impl Look<'_> {
    /// The number of the command of this name, if the user may run it.
    fn number(&self, command: &str) -> Option<Number> {
        catalog().named(command).filter(|&number| self.user.allows(number, None))
    }

    fn allows(&self, command: &str) -> bool {
        self.number(command).is_some()
    }

    /// Whether the user may see this key by that command.
    fn may_see(&self, number: Number, id: SlotId) -> bool {
        let keyspace = &self.server.keyspace;
        let is_fresh = keyspace.deadline(id).is_none_or(|at| at > self.server.now);
        let object = keyspace.object(id).filter(|_| is_fresh);
        object.is_some_and(|object| self.user.may_see(number, object.key()))
    }

    fn shadows(&self) -> Part<Shadows> {
        if !self.allows("augury.shadows") {
            return denied("augury.shadows");
        }
        let Some(simulated) = self.server.keyspace.rivals() else { return Part::missing(SIMULATE) };
        let (own, others) = rivals(&self.server.keyspace);
        let (_, sampled) = simulated.sample_size();
        Part::Shown(Shadows {
            own,
            others,
            method: format!(
                "Each policy runs in a small cache of {:.2}% of the keys; the difference to this \
                 cache is taken from there, and older reads count for less.",
                100.0 * sampled
            ),
        })
    }

    fn experts(&self) -> Part<Vec<Expert>> {
        if !self.allows("augury.shadows") {
            return denied("augury.shadows");
        }
        let Some(found) = self.server.keyspace.shadowing() else {
            let policy = self.server.settings.policy;
            return Part::missing(format!(
                "The policy {policy} chooses among no rankings: start the server with --policy auto."
            ));
        };
        let experts = found.shadows.iter().map(|it| Expert {
            name: it.expert.name().to_owned(),
            live: it.is_live,
            standing: it.standing.into(),
            hit_ratio: it.hit_ratio.map(f64::from),
        });
        Part::Shown(experts.collect())
    }

    fn curve(&self) -> Part<Vec<CurvePoint>> {
        if !self.allows("augury.curve") {
            return denied("augury.curve");
        }
        let keyspace = &self.server.keyspace;
        let Some(curve) = keyspace.curve() else { return Part::missing(SIMULATE) };
        let Some(points) = curve.points() else {
            return Part::missing(
                "Nothing was read since the curve began; it follows the traffic.",
            );
        };
        let mut all: Vec<CurvePoint> = points
            .iter()
            .map(|it| CurvePoint {
                capacity: it.capacity,
                miss_ratio: Some(it.miss_ratio),
                lru_miss_ratio: Some(it.lru_miss_ratio),
            })
            .collect();
        let capacity = keyspace.capacity();
        for eighth in [1, 2, 3, 6, 12, 20, 24, 28] {
            let capacity = capacity / 8 * eighth;
            let lru_miss_ratio = curve.lru_miss_ratio(capacity);
            if lru_miss_ratio.is_some() {
                all.push(CurvePoint { capacity, miss_ratio: None, lru_miss_ratio });
            }
        }
        all.sort_by_key(|it| it.capacity);
        Part::Shown(all)
    }

    fn hot(&self) -> Part<Vec<HotKey>> {
        let Some(number) = self.number("augury.hotkeys") else { return denied("augury.hotkeys") };
        let keyspace = &self.server.keyspace;
        let found = keyspace
            .popular(self.server.now)
            .flat_map(|popular| keyspace.candidates(popular.hash).map(move |id| (id, popular)))
            .filter(|&(id, _)| self.may_see(number, id))
            .take(ROWS);
        let rows = found.filter_map(|(id, popular)| {
            let object = keyspace.object(id)?;
            Some(HotKey {
                key: shown(object.key()),
                place: Some(keyspace.db_of(object).to_string()),
                share: Some(popular.share),
                per_second: Some(popular.per_second),
                heat: None,
            })
        });
        Part::Shown(rows.collect())
    }

    fn big(&mut self) -> Part<Vec<BigKey>> {
        let Some(number) = self.number("augury.bigkeys") else { return denied("augury.bigkeys") };
        let found = self.server.keyspace.largest();
        let keyspace = &self.server.keyspace;
        let rows = found.into_iter().filter(|&id| self.may_see(number, id)).take(ROWS);
        let rows = rows.filter_map(|id| {
            let object: &Object = keyspace.object(id)?;
            Some(BigKey {
                key: shown(object.key()),
                place: Some(keyspace.db_of(object).to_string()),
                kind: type_of(object).to_owned(),
                size: keyspace.entry_bytes(id)?,
            })
        });
        Part::Shown(rows.collect())
    }

    fn prefetch(&self) -> Part<Prefetch> {
        let Some(upstream) = &self.server.upstream else {
            return Part::missing(
                "Nothing is fetched ahead, as this server has nothing to fetch from: start it with \
                 --upstream and the URL of what it stands before.",
            );
        };
        let counted = |name: &str| {
            let found = upstream.counters().into_iter().chain(upstream.gauges());
            found.into_iter().find(|(it, ..)| *it == name).map_or(0, |(_, _, count)| count)
        };
        Part::Shown(Prefetch {
            issued: counted("prefetches"),
            used: counted("prefetches_used"),
            unused: counted("prefetches_unused"),
            waiting: counted("prefetched_waiting"),
        })
    }

    fn evictions(&mut self) -> Part<Vec<Eviction>> {
        let Some(number) = self.number("augury.explain") else { return denied("augury.explain") };
        let now = self.server.now;
        let user = self.user;
        let left: Vec<Leaver> = self.server.keyspace.leavers(now).cloned().collect();
        let keyspace = &self.server.keyspace;
        let rows = left.into_iter().filter_map(|it| {
            let key = it.key.as_deref();
            // A key that is not known may be one that must not be.
            let may_see =
                key.map_or_else(|| user.may_see_all(number), |key| user.may_see(number, key));
            may_see.then(|| Eviction {
                key: key.map(shown),
                place: Some(keyspace.db_of_leaver(&it).to_string()),
                size: Some(it.size.into()),
                why: reason(&it),
            })
        });
        Part::Shown(rows.take(EVICTIONS).collect())
    }
}

fn reason(it: &Leaver) -> Option<Reason> {
    let made = it.decision?;
    let holders = it.holders.as_ref();
    Some(Reason {
        ruling: made.expert.name().to_owned(),
        age: made.history.age(made.tick as u32).into(),
        count: made.history.count.into(),
        score: made.score.into(),
        newcomer: made.newcomer.map(f64::from),
        looks: made.looks.into(),
        holders: holders.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
    })
}

fn denied<T>(command: &str) -> Part<T> {
    Part::missing(format!("The user who asks may not run {}.", command.to_uppercase()))
}
