//! Explanations, as plain data.

use augury_core::history::{NO_REUSE, bucket_start};
use augury_core::policy::explanation::{Explanation, Opinion, Standing};
use augury_core::policy::journal::{Act, Decision};
use augury_replay::explain::Story;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// What happened to one object of a trace, and what the policy knows of it.
pub(crate) fn story<'py>(py: Python<'py>, found: &Story) -> PyResult<Bound<'py, PyDict>> {
    let story = explanation(py, &found.explanation)?;
    story.set_item("replayed", found.replayed)?;
    story.set_item("capacity_bytes", found.capacity)?;
    story.set_item("residents", found.residents)?;
    story.set_item("requests", found.requests)?;
    story.set_item("hits", found.hits)?;
    story.set_item("latest", &found.latest)?;
    story.set_item("resident", found.is_resident)?;
    Ok(story)
}

pub(crate) fn explanation<'py>(
    py: Python<'py>,
    found: &Explanation,
) -> PyResult<Bound<'py, PyDict>> {
    let Explanation { now, ruling, standing, ghost, opinions, decisions, recorded_since } = found;
    let told = PyDict::new(py);
    told.set_item("now", now)?;
    told.set_item("ruling", ruling.name())?;
    let standing = standing.as_ref().map(|standing| place(py, standing, *now));
    told.set_item("standing", standing.transpose()?)?;
    told.set_item("ghost", ghost.map(|ghost| history(py, &ghost, *now)).transpose()?)?;
    let experts = opinions.iter().map(|opinion| expert(py, opinion));
    told.set_item("experts", PyList::new(py, experts.collect::<PyResult<Vec<_>>>()?)?)?;
    let made = decisions.iter().map(|made| decision(py, made, opinions));
    told.set_item("decisions", PyList::new(py, made.collect::<PyResult<Vec<_>>>()?)?)?;
    told.set_item("recorded_since", recorded_since)?;
    Ok(told)
}

fn history<'py>(
    py: Python<'py>,
    history: &augury_core::history::History,
    now: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("age", history.age(now as u32))?;
    told.set_item("count", history.count)?;
    told.set_item("heat", history.heat())?;
    let reuse = (history.reuse() != NO_REUSE).then(|| bucket_start(history.reuse()));
    told.set_item("reuse", reuse)?;
    Ok(told)
}

fn place<'py>(py: Python<'py>, standing: &Standing, now: u64) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("history", history(py, &standing.history, now)?)?;
    told.set_item("size", standing.size)?;
    told.set_item("score", standing.score)?;
    told.set_item("density", standing.density)?;
    told.set_item("prediction", standing.prediction)?;
    told.set_item("compared", standing.compared)?;
    told.set_item("below", standing.below)?;
    Ok(told)
}

fn expert<'py>(py: Python<'py>, opinion: &Opinion) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("name", opinion.expert.name())?;
    told.set_item("live", opinion.is_live)?;
    told.set_item("standing", opinion.standing)?;
    told.set_item("holds", opinion.holds)?;
    Ok(told)
}

fn decision<'py>(
    py: Python<'py>,
    made: &Decision,
    opinions: &[Opinion],
) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("tick", made.tick)?;
    told.set_item("act", if made.act == Act::Evicted { "evicted" } else { "rejected" })?;
    told.set_item("history", history(py, &made.history, made.tick)?)?;
    told.set_item("size", made.size)?;
    told.set_item("ruling", made.expert.name())?;
    told.set_item("score", made.score)?;
    told.set_item("newcomer", made.newcomer)?;
    told.set_item("looks", made.looks)?;
    let holders = made.holders.map(|holders| {
        let named = opinions.iter().enumerate().filter(|(at, _)| holders & 1 << at != 0);
        named.map(|(_, opinion)| opinion.expert.name()).collect::<Vec<_>>()
    });
    told.set_item("holders", holders)?;
    Ok(told)
}
