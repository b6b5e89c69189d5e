//! AUGURY.EXPLAIN: everything that the policy knows of one key.

use augury_core::policy::explanation::{Explanation, Opinion, Standing};
use augury_core::policy::journal::{Act, Decision};

use super::{Call, Done, without_histories};
use crate::resp::Reply;

pub(super) fn explain(call: &mut Call<'_, '_>) -> Done {
    let asked = call.asked(1);
    let Some(found) = call.server.keyspace.explain(asked, call.server.now) else {
        return Err(without_histories(call).into());
    };
    let Explanation { now, ruling, standing, ghost, opinions, decisions, recorded_since } = found;
    let reply = &mut *call.reply;
    reply.map(8);
    reply.flag("resident", Some(standing.is_some()));
    reply.text("ruling", Some(ruling.name()));
    reply.count("now", Some(now));
    reply.name("standing");
    match standing {
        Some(standing) => place(reply, &standing, now),
        None => reply.null(),
    }
    reply.name("ghost");
    match ghost {
        Some(ghost) => reply.history(&ghost, now),
        None => reply.null(),
    }
    reply.name("experts");
    reply.array(opinions.len());
    opinions.iter().for_each(|it| opinion(reply, it));
    reply.name("decisions");
    reply.array(decisions.len());
    decisions.iter().for_each(|it| decision(reply, it, &opinions));
    reply.count("recorded_since", recorded_since);
    Ok(())
}

fn place(reply: &mut Reply<'_>, standing: &Standing, now: u64) {
    reply.map(7);
    reply.name("history");
    reply.history(&standing.history, now);
    reply.count("bytes", Some(standing.size.into()));
    reply.number("score", Some(standing.score.into()));
    reply.number("density", Some(standing.density.into()));
    reply.number("prediction", standing.prediction);
    reply.count("compared", Some(standing.compared.into()));
    reply.count("below", Some(standing.below.into()));
}

fn opinion(reply: &mut Reply<'_>, opinion: &Opinion) {
    reply.map(4);
    reply.text("name", Some(opinion.expert.name()));
    reply.flag("live", Some(opinion.is_live));
    reply.number("standing", Some(opinion.standing.into()));
    reply.flag("holds", opinion.holds);
}

fn decision(reply: &mut Reply<'_>, made: &Decision, opinions: &[Opinion]) {
    reply.map(9);
    reply.count("tick", Some(made.tick));
    reply.text("act", Some(if made.act == Act::Evicted { "evicted" } else { "rejected" }));
    reply.name("history");
    reply.history(&made.history, made.tick);
    reply.count("bytes", Some(made.size.into()));
    reply.text("ruling", Some(made.expert.name()));
    reply.number("score", Some(made.score.into()));
    reply.number("newcomer", made.newcomer.map(f64::from));
    reply.count("looks", Some(made.looks.into()));
    reply.name("holders");
    match made.holders {
        None => reply.null(),
        Some(holders) => {
            let named: Vec<&str> = opinions
                .iter()
                .enumerate()
                .filter(|(at, _)| holders & 1 << at != 0)
                .map(|(_, it)| it.expert.name())
                .collect();
            reply.array(named.len());
            named.iter().for_each(|name| reply.name(name));
        }
    }
}
