//! AUGURY.FORECAST: when a key is expected to be asked for again.
//!
//! Chances and waits are the survival table's, which the learned rankings read too; where a trained
//! model is loaded what it says stands beside them, and `by` names which of both rules at present. The
//! engine counts in requests; seconds are told at the pace of the latest minute.

use augury_core::model::predictor::Meaning;
use augury_core::model::survival::Outlook;
use augury_core::policy::forecast::{Forecast, Prediction};

use super::{Call, Done, without_histories};
use crate::resp::Reply;

/// Horizons, as multiples of the number of residents: most of what the table tells apart.
const HORIZONS: [f64; 6] = [1.0 / 64.0, 1.0 / 16.0, 0.25, 1.0, 4.0, 16.0];

pub(super) fn forecast(call: &mut Call<'_, '_>) -> Done {
    if call.server.keyspace.ruling().is_none() {
        return Err(without_histories(call).into());
    }
    let asked = call.asked(1);
    let Some((found, is_resident)) = call.server.keyspace.forecast(asked, call.server.now) else {
        call.reply.null();
        return Ok(());
    };
    let pace = call.server.ticks.pace(call.server.now);
    let residents = call.server.keyspace.count().max(1) as f64;
    let model = call.server.models.serving().map(|model| (model.name.as_str(), model.horizon));
    let Forecast { ruling, history, age, outlook, prediction } = found;
    let is_model = ruling.name().starts_with("learned") && prediction.is_some();
    let reply = &mut *call.reply;
    reply.map(10);
    reply.flag("resident", Some(is_resident));
    reply.text("ruling", Some(ruling.name()));
    reply.text("by", Some(if is_model { "model" } else { "survival" }));
    reply.count("age_requests", Some(age.into()));
    reply.count("asked_for", Some(history.count.into()));
    reply.name("horizons");
    let horizons = outlook.as_ref().map_or(0, |_| HORIZONS.len());
    reply.array(horizons);
    for requests in HORIZONS.iter().take(horizons).map(|share| (share * residents).ceil()) {
        reply.map(3);
        reply.count("requests", Some(requests as u64));
        reply.number("seconds", pace.map(|pace| requests / pace));
        reply.number("chance", outlook.as_ref().map(|it| it.chance(requests)));
    }
    let wait = outlook.as_ref().and_then(Outlook::wait);
    reply.number("wait_requests", wait);
    reply.number("wait_seconds", wait.zip(pace).map(|(wait, pace)| wait / pace));
    reply.count("reach_requests", outlook.as_ref().map(|it| it.reach() as u64));
    reply.name("model");
    match prediction {
        Some(prediction) => say(reply, prediction, model),
        None => reply.null(),
    }
    Ok(())
}

/// What a model says, in its own terms.
fn say(reply: &mut Reply<'_>, prediction: Prediction, model: Option<(&str, Option<f64>)>) {
    let Prediction { answer, meaning } = prediction;
    reply.map(3);
    reply.text("name", model.map(|(name, _)| name));
    match meaning {
        Meaning::Probability => {
            reply.number("chance", Some(answer));
            reply.number("horizon_requests", model.and_then(|(_, horizon)| horizon));
        }
        Meaning::LogWait => {
            reply.number("wait_requests", Some((answer.exp2() - 1.0).max(0.0)));
            reply.number("horizon_requests", None);
        }
    }
}
