//! One replay under a rule of the guard, or under one expert alone:
//! `bench_guard RULE|EXPERT FILE CAPACITY SEED`; `bench_guard list` names them.
//!
//! For `benchmarks/bandit.py`. Rules and experts are not policies that users choose: the guard
//! chooses among the experts, and its rule was chosen by that comparison. Prints one JSON object.

use std::error::Error;

use augury_core::guard::{Auto, EXPERTS, Guard, GuardRule};
use augury_core::policy::Policy;
use augury_core::policy::ranking::RankingId;
use augury_core::policy::sampled::{Expert, Fixed, Sampled};
use augury_replay::replay::Drive;
use augury_replay::trace::{SourceOptions, TraceSource};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["list"] {
        let built_in = EXPERTS.into_iter().filter(|expert| expert.ranking != RankingId::Learned);
        let experts = built_in.map(name_of).collect::<Vec<_>>().join("\", \"");
        let rules = GuardRule::ALL.map(|(name, _)| name).join("\", \"");
        println!(r#"{{"experts": ["{experts}"], "rules": ["{rules}"]}}"#);
        return Ok(());
    }
    let [who, file, capacity, seed] = arguments.as_slice() else {
        return Err("usage: bench_guard RULE|EXPERT FILE CAPACITY SEED, or bench_guard list".into());
    };
    let source = TraceSource::new(file, SourceOptions::default())?;
    let (capacity, seed) = (capacity.parse()?, seed.parse()?);
    let rule = GuardRule::ALL.into_iter().find(|(name, _)| name == who);
    let expert = EXPERTS.into_iter().find(|&expert| name_of(expert) == who);
    let (requests, misses) = match (rule, expert) {
        (Some((_, rule)), _) => {
            replay(&source, capacity, Auto::with_chooser(seed, Guard::with_rule(rule)))?
        }
        (_, Some(expert)) => replay(&source, capacity, Sampled::with_chooser(seed, Fixed(expert)))?,
        _ => return Err(format!("no rule and no expert is called {who:?}").into()),
    };
    println!(r#"{{"requests": {requests}, "misses": {misses}}}"#);
    Ok(())
}

fn name_of(expert: Expert) -> &'static str {
    let Expert { ranking, admission } = expert;
    if admission { ranking.name_with_admission() } else { ranking.name() }
}

fn replay(
    source: &TraceSource,
    capacity: u64,
    policy: impl Policy,
) -> Result<(u64, u64), Box<dyn Error>> {
    let mut cache = Drive::new(capacity, policy);
    source.open()?.for_each_chunk(|chunk| cache.feed(chunk))?;
    Ok((cache.stats().requests(), cache.stats().misses))
}
