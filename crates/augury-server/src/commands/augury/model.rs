//! AUGURY.MODEL: trained models, from the server's folder to a trial under the guard.
//!
//! A loaded model serves nobody before it is used, and a used one rules only once its shadow has proved
//! it on this very traffic: see the core's `guard`.

use augury_replay::replay::PolicyName;

use super::{Call, Command, Done, Flags, Group, PLAIN as OWN, Refusal};
use crate::commands::help;
use crate::models::{Model, ModelError};

const PLAIN: Command = Command { flags: Flags::ADMIN.union(Flags::NOSCRIPT), ..OWN };

pub(super) const SUBCOMMANDS: &[Command] = &[
    help::of("augury.model|help", Group::Augury),
    Command {
        name: "augury.model|list",
        arity: 2,
        summary: "The models that are loaded",
        run: list,
        ..PLAIN
    },
    Command {
        name: "augury.model|load",
        arity: 3,
        summary: "Loads a model that `augury train` saved, from a file under --dir; its name",
        run: load,
        ..PLAIN
    },
    Command {
        name: "augury.model|use",
        arity: 3,
        summary: "Puts a loaded model on trial in the policy, in place of the one before; NONE: none",
        run: choose,
        ..PLAIN
    },
];

fn refused(error: ModelError) -> Refusal {
    Refusal::of(format!("ERR {error}"))
}

fn text(call: &Call<'_, '_>, at: usize) -> Result<String, Refusal> {
    let text = String::from_utf8(call.arguments[at].to_vec());
    text.map_err(|_| Refusal::new("ERR names and paths of models are UTF-8"))
}

fn load(call: &mut Call<'_, '_>) -> Done {
    let path = text(call, 2)?;
    let server = &mut *call.server;
    let name = server.models.load(&server.settings.dir, &path).map_err(refused)?;
    call.reply.bulk(name.as_bytes());
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let models = &call.server.models;
    let reply = &mut *call.reply;
    reply.array(models.all().len());
    for model in models.all() {
        let Model { name, hash, meaning, horizon, predictor } = model;
        reply.map(7);
        reply.text("name", Some(name));
        reply.flag("in_use", Some(models.serving().is_some_and(|it| it.name == *name)));
        reply.text("answers", Some(meaning));
        reply.number("horizon_requests", *horizon);
        reply.flag("proven", Some(predictor.is_proven));
        reply.count("steps", Some(predictor.steps()));
        reply.text("sha256", Some(hash));
    }
    Ok(())
}

fn choose(call: &mut Call<'_, '_>) -> Done {
    let name = text(call, 2)?;
    let server = &mut *call.server;
    if server.settings.policy != PolicyName::Auto {
        return Err(Refusal::of(format!(
            "ERR the policy '{}' asks no model: start the server with --policy auto",
            server.settings.policy
        ))
        .into());
    }
    let wanted = (!name.eq_ignore_ascii_case("none")).then_some(name.as_str());
    let predictor = server.models.choose(wanted).map_err(refused)?;
    server.keyspace.set_predictor(predictor);
    call.reply.ok();
    Ok(())
}
