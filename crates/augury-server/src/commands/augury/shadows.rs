//! AUGURY.SHADOWS: what others would have hit of the same traffic.
//!
//! The guard's experts run in its shadows anyway, and what they hit is known. Other policies are
//! simulated where the setting `simulate` says so; else their list is empty.

use super::{Call, Done};

pub(super) fn shadows(call: &mut Call<'_, '_>) -> Done {
    let keyspace = &call.server.keyspace;
    let policy = call.server.settings.policy;
    let guard = keyspace.shadowing();
    let rivals = keyspace.rivals();
    let told = rivals.and_then(|rivals| rivals.hit_ratios());
    let stats = keyspace.stats();
    let since_start = (stats.requests() > 0).then(|| stats.hits as f64 / stats.requests() as f64);
    let reply = &mut *call.reply;
    reply.map(6);
    reply.text("policy", Some(policy.name()));
    reply.text("ruling", keyspace.ruling());
    reply.number("hit_ratio", told.as_ref().map(|(own, _)| *own).or(since_start));
    reply.name("experts");
    let experts = guard.as_ref().map_or(&[][..], |guard| &guard.shadows);
    reply.array(experts.len());
    for shadow in experts {
        reply.map(4);
        reply.text("name", Some(shadow.expert.name()));
        reply.flag("live", Some(shadow.is_live));
        reply.number("hit_ratio", shadow.hit_ratio.map(f64::from));
        reply.number("standing", Some(shadow.standing.into()));
    }
    reply.name("policies");
    let policies = told.as_ref().map_or(&[][..], |(_, policies)| policies);
    reply.array(policies.len());
    for (name, hit_ratio) in policies {
        reply.map(2);
        reply.text("name", Some(name.name()));
        reply.number("hit_ratio", Some(*hit_ratio));
    }
    reply.name("sampled");
    reply.map(3);
    reply.number("experts", guard.as_ref().map(|guard| guard.ratio.into()));
    reply.number("policies", rivals.map(|rivals| rivals.sample_size().1));
    reply.number("requests", rivals.map(|rivals| rivals.sample_size().0));
    Ok(())
}
