//! A trace to be replayed again and again: decoded in memory, or read anew each time.

use std::path::Path;

use augury_core::metrics::Stats;
use augury_replay::curve::{LruCurve, TraceSample, lru_curve, lru_curve_of_stream};
use augury_replay::dataset::{DatasetSpec, build_dataset};
use augury_replay::demands::{DemandsSpec, demands};
use augury_replay::explain::{ExplainSpec, explain};
use augury_replay::freshness::{Contender, Timeline};
use augury_replay::replay::{
    CellResult, CellSpec, PredictorName, PredictorSpec, PrefetchSpec, ReplayError, run_cell,
    run_stream,
};
use augury_replay::trace::{
    DecodedTrace, Extent, Footprint, Format, Request, Skipped, TraceError, TraceSource,
    TraceWriter, convert, extent, object_id,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::artifact::Artifact;
use crate::capacity::{self, Asked};
use crate::explain::story;
use crate::sample::Sample;
use crate::sequence::{Sequence, columns};
use crate::ticker::Ticker;
use crate::{dataset, errors, reading};

enum Requests {
    InMemory(DecodedTrace),
    Streamed(TraceSource),
}

/// A trace whose extent is known; shared by all replays of it.
#[pyclass(frozen, module = "augury._core")]
pub(crate) struct Trace {
    requests: Requests,
    count: u64,
    footprint: Footprint,
    skipped: Skipped,
}

impl Trace {
    fn decoded(source: &TraceSource) -> Result<Self, TraceError> {
        let decoded = DecodedTrace::load(source)?;
        let (count, footprint) = (decoded.requests.len() as u64, decoded.objects());
        let skipped = decoded.skipped.clone();
        Ok(Trace { requests: Requests::InMemory(decoded), count, footprint, skipped })
    }

    fn streamed(source: TraceSource) -> Result<Self, TraceError> {
        let Extent { requests: count, footprint, skipped, .. } = extent(&source)?;
        Ok(Trace { requests: Requests::Streamed(source), count, footprint, skipped })
    }

    /// The requests, where they are decoded in memory.
    pub(crate) fn in_memory(&self) -> Option<&[Request]> {
        match &self.requests {
            Requests::InMemory(decoded) => Some(&decoded.requests),
            Requests::Streamed(_) => None,
        }
    }

    /// The bytes, or entries, that a capacity comes to.
    pub(crate) fn capacity(&self, asked: Asked) -> Result<u64, ReplayError> {
        capacity::of(asked).resolve(self.footprint)
    }

    fn run(
        &self,
        spec: &CellSpec,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<CellResult, ReplayError> {
        match &self.requests {
            Requests::InMemory(decoded) => run_cell(decoded, self.footprint, spec, progress),
            Requests::Streamed(source) => run_stream(source, spec, progress),
        }
    }

    fn curve(
        &self,
        capacities: &[u64],
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<LruCurve, ReplayError> {
        match &self.requests {
            Requests::InMemory(decoded) => lru_curve(decoded, capacities, progress),
            Requests::Streamed(source) => lru_curve_of_stream(source, capacities, progress),
        }
    }

    fn write(&self, path: &Path) -> Result<(), TraceError> {
        match &self.requests {
            Requests::InMemory(decoded) => {
                let mut writer = TraceWriter::create(path, Format::OracleGeneral)?;
                writer.write(&decoded.requests)?;
                writer.finish().map(drop)
            }
            Requests::Streamed(source) => convert(source, path, Format::OracleGeneral).map(drop),
        }
    }
}

#[pymethods]
impl Trace {
    #[new]
    #[pyo3(signature = (source, trace_format=None, columns=None, skip_bad=false, in_memory=true))]
    fn new(
        py: Python<'_>,
        source: &str,
        trace_format: Option<&str>,
        columns: Option<&str>,
        skip_bad: bool,
        in_memory: bool,
    ) -> PyResult<Self> {
        let source = reading::source(source, trace_format, columns, skip_bad)?;
        py.detach(|| if in_memory { Trace::decoded(&source) } else { Trace::streamed(source) })
            .map_err(errors::of_trace)
    }

    /// Number of requests, reads and others.
    #[getter]
    fn requests(&self) -> u64 {
        self.count
    }

    /// Number of distinct objects.
    #[getter]
    fn objects(&self) -> u64 {
        self.footprint.objects
    }

    /// Sum over the distinct objects of the last size seen.
    #[getter]
    fn footprint(&self) -> u64 {
        self.footprint.bytes
    }

    /// Seconds between the first and the last request; `None` where the trace is streamed.
    #[getter]
    fn seconds(&self) -> Option<u64> {
        let requests = self.in_memory()?;
        Some(requests.last().map_or(0, |last| last.time.saturating_sub(requests[0].time)))
    }

    /// Malformed records that were left out, by what was wrong.
    #[getter]
    fn skipped<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let reasons = PyDict::new(py);
        for (code, count) in self.skipped.iter() {
            reasons.set_item(code, count)?;
        }
        Ok(reasons)
    }

    /// The bytes, or entries, that a capacity comes to.
    fn resolve(&self, asked: Asked) -> PyResult<u64> {
        self.capacity(asked).map_err(errors::of_replay)
    }

    /// Replays the trace under one policy. Counting begins after `warmup` requests, and the model
    /// comes in then; `prefetch` is a budget and a predictor: a name, or a trained one, which comes
    /// in with the model.
    #[pyo3(signature = (
        policy, asked, seed, ticker, model=None, warmup=0, until=None, prefetch=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "named in Python")]
    fn replay<'py>(
        &self,
        py: Python<'py>,
        policy: &str,
        asked: Asked,
        seed: u64,
        ticker: &Ticker,
        model: Option<&Artifact>,
        warmup: u64,
        until: Option<u64>,
        prefetch: Option<(f64, Ahead<'_>)>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let policy = policy.parse().map_err(errors::of_replay)?;
        let prefetch = prefetch.map(prefetch_spec).transpose()?;
        // Resolved here, so that a streamed trace is not measured again for every replay.
        let capacity = capacity::of((None, Some(self.resolve(asked)?)));
        let model = model.map(|artifact| artifact.serving.clone());
        let new = CellSpec::new(policy, capacity, seed);
        let spec = CellSpec { model, warmup, until, prefetch, ..new };
        let found =
            py.detach(|| self.run(&spec, &mut ticker.telling())).map_err(errors::of_replay)?;
        outcome(py, &found)
    }

    /// Feature rows and waits, sampled while `auto` replays the first `until` requests.
    fn dataset<'py>(
        &self,
        py: Python<'py>,
        asked: Asked,
        rows: usize,
        until: Option<u64>,
        seed: u64,
        ticker: &Ticker,
    ) -> PyResult<Bound<'py, PyDict>> {
        let capacity = capacity::of((None, Some(self.resolve(asked)?)));
        let spec = DatasetSpec { capacity, rows, until, seed };
        let found = py
            .detach(|| match &self.requests {
                Requests::InMemory(decoded) => {
                    build_dataset(decoded, self.footprint, &spec, &mut ticker.telling())
                }
                Requests::Streamed(source) => {
                    let decoded = DecodedTrace::load(source)?;
                    build_dataset(&decoded, self.footprint, &spec, &mut ticker.telling())
                }
            })
            .map_err(errors::of_replay)?;
        dataset::columns(py, &found)
    }

    /// What `auto` without prefetch misses in the first `until` requests, the `latest` of it.
    fn demands<'py>(
        &self,
        py: Python<'py>,
        asked: Asked,
        until: Option<u64>,
        latest: usize,
        seed: u64,
        ticker: &Ticker,
    ) -> PyResult<Bound<'py, PyDict>> {
        let capacity = capacity::of((None, Some(self.resolve(asked)?)));
        let spec = DemandsSpec { capacity, until, latest, seed };
        let (missed, seen) = py
            .detach(|| match &self.requests {
                Requests::InMemory(decoded) => {
                    demands(decoded, self.footprint, &spec, &mut ticker.telling())
                }
                Requests::Streamed(source) => {
                    let decoded = DecodedTrace::load(source)?;
                    demands(&decoded, self.footprint, &spec, &mut ticker.telling())
                }
            })
            .map_err(errors::of_replay)?;
        columns(py, &missed, seen)
    }

    /// Why an object is, or is not, resident under `auto` after `at` requests. The key is text
    /// as the trace has it: a number, or what is hashed.
    #[pyo3(signature = (key, asked, at, seed, ticker, model=None, journal=4096))]
    #[expect(clippy::too_many_arguments, reason = "named in Python")]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        asked: Asked,
        at: Option<u64>,
        seed: u64,
        ticker: &Ticker,
        model: Option<&Artifact>,
        journal: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let capacity = capacity::of((None, Some(self.resolve(asked)?)));
        let (key, model) =
            (object_id(key.as_bytes()), model.map(|artifact| artifact.serving.clone()));
        let spec = ExplainSpec { capacity, key, at, seed, model, journal };
        let found = py
            .detach(|| match &self.requests {
                Requests::InMemory(decoded) => {
                    explain(decoded, self.footprint, &spec, &mut ticker.telling())
                }
                Requests::Streamed(source) => {
                    let decoded = DecodedTrace::load(source)?;
                    explain(&decoded, self.footprint, &spec, &mut ticker.telling())
                }
            })
            .map_err(errors::of_replay)?;
        story(py, &found)
    }

    /// LRU's misses at these capacities by one pass: pairs of capacity and object miss ratio, of
    /// those capacities where that is exact; none where the trace has no one stack.
    fn lru_curve(
        &self,
        py: Python<'_>,
        capacities: Vec<u64>,
        ticker: &Ticker,
    ) -> PyResult<Vec<(u64, f64)>> {
        let found = py
            .detach(|| self.curve(&capacities, &mut ticker.telling()))
            .map_err(errors::of_replay)?;
        Ok(found.exact().map(|point| (point.capacity, found.object_miss_ratio(point))).collect())
    }

    /// The requests for a share of the objects, above 0 and at most 1.
    fn sample(&self, py: Python<'_>, ratio: f64, ticker: &Ticker) -> PyResult<Sample> {
        py.detach(|| match &self.requests {
            Requests::InMemory(decoded) => Ok(TraceSample::of(decoded, ratio)),
            Requests::Streamed(source) => {
                TraceSample::of_stream(source, ratio, &mut ticker.telling())
            }
        })
        .map(Sample)
        .map_err(errors::of_replay)
    }

    /// What refreshing by these contenders, each with its parameter, comes to: reads, compulsory
    /// misses, expiry misses and refreshes of each.
    fn freshness(
        &self,
        py: Python<'_>,
        contenders: Vec<(String, f64)>,
        ticker: &Ticker,
    ) -> PyResult<Vec<(u64, u64, u64, u64)>> {
        let contenders: Vec<Contender> = contenders
            .iter()
            .map(|(name, parameter)| Contender::new(name, *parameter))
            .collect::<Result<_, _>>()
            .map_err(errors::of_replay)?;
        py.detach(|| {
            let timeline = match &self.requests {
                Requests::InMemory(decoded) => Timeline::new(decoded),
                Requests::Streamed(source) => Timeline::new(&DecodedTrace::load(source)?),
            };
            let run = |contender| timeline.run(contender, &mut ticker.telling());
            contenders.into_iter().map(run).collect::<Result<Vec<_>, _>>()
        })
        .map(|found| {
            found
                .iter()
                .map(|one| (one.reads, one.compulsory, one.expired, one.refreshes))
                .collect()
        })
        .map_err(errors::of_replay)
    }

    /// Writes the trace as uncompressed oracleGeneral.
    fn write_oracle_general(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        py.detach(|| self.write(Path::new(path))).map_err(errors::of_trace)
    }
}

/// Who predicts what to prefetch.
#[derive(FromPyObject)]
enum Ahead<'py> {
    Named(String),
    Trained(Bound<'py, Sequence>),
}

fn prefetch_spec((budget, ahead): (f64, Ahead<'_>)) -> PyResult<PrefetchSpec> {
    let predictor = match ahead {
        Ahead::Named(name) => {
            PredictorSpec::Named(name.parse::<PredictorName>().map_err(errors::of_replay)?)
        }
        Ahead::Trained(sequence) => PredictorSpec::Trained(sequence.get().model()),
    };
    PrefetchSpec::new(budget, predictor).map_err(errors::of_replay)
}

fn outcome<'py>(py: Python<'py>, found: &CellResult) -> PyResult<Bound<'py, PyDict>> {
    let Stats { misses, requested_bytes, missed_bytes, .. } = found.stats;
    let Stats { insertions, rejections, expired, evicted, .. } = found.stats;
    let windows: Vec<_> = found
        .windows
        .iter()
        .map(|window| (window.requests, window.misses, window.ruling))
        .collect();
    let outcome = PyDict::new(py);
    outcome.set_item("capacity_bytes", found.capacity_bytes)?;
    outcome.set_item("requests", found.stats.requests())?;
    outcome.set_item("misses", misses)?;
    outcome.set_item("requested_bytes", requested_bytes)?;
    outcome.set_item("missed_bytes", missed_bytes)?;
    outcome.set_item("seconds", found.seconds)?;
    outcome.set_item("insertions", insertions)?;
    outcome.set_item("rejections", rejections)?;
    outcome.set_item("evictions", evicted)?;
    outcome.set_item("expired", expired)?;
    outcome.set_item("resident", found.resident)?;
    outcome.set_item("memory_bytes", found.memory_bytes)?;
    outcome.set_item("windows", windows)?;
    let prefetch = found.prefetch.map(|prefetch| (prefetch.issued, prefetch.used));
    outcome.set_item("prefetch", prefetch)?;
    Ok(outcome)
}
