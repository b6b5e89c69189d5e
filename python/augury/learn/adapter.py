"""What stands beside a cache that retrains while it runs: watch, fall back, retrain, exchange.

An :class:`Adapter` is called between the steps of a session (`augury_replay::session`) and decides;
`augury_core::drift` watches the model. Without a model, or once the predictions of the one in use
have stopped holding, the built-in rankings decide alone, as they do in `auto`. A model that was
retrained goes in only if it is better on rows later than it was fitted on, and rules only if its
shadow cache then shows that it hits more (docs/decisions/0015).
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from augury import _core
from augury.errors import ConfigError
from augury.learn.adaptation import Event, What
from augury.learn.artifact import Artifact
from augury.learn.budget import Budget
from augury.learn.dataset import DataSet, data_set_of
from augury.learn.kinds import Kind
from augury.learn.retraining import LEAST_ROWS, Candidate, retrain, skill_of

__all__ = ["STEP", "Adapter"]

#: Requests between two looks at session and training.
STEP = 2_048
#: A horizon is kept from model to model while residences change by less than this factor.
SAME_HORIZON = 2.0


@dataclass(slots=True)
class Job:
    """A training under way."""

    future: "Future[tuple[Candidate | Exception, float]]"
    tick: int
    began: float
    rows: int
    #: Whether the drift of a model came in between.
    is_outdated: bool = False


class Adapter:
    """Trains, exchanges and lets go of the model of one session.

    Args:
        session: The cache.
        kind: What to train.
        capacity: Of the cache, for the model cards.
        every: Requests between two trainings, at least; drift does not wait for it.
        budget: What trainings may cost.
        rate: Rows per request that the session takes.
        trace: Name of the traffic, for the model cards.
        seed: Of the trainings.
        synchronous: Train at once, the cache waiting, so that the result depends on nothing but the
            seed as long as the budget has room; else in a thread of its own.
        pace: Requests per second of the traffic; the trace's own times if None.
        cpu: CPU seconds of the calling thread.
    """

    def __init__(
        self,
        session: "_core.Session",
        kind: Kind,
        *,
        capacity: str,
        every: int,
        budget: Budget,
        rate: float,
        trace: str = "",
        seed: int = 1,
        synchronous: bool = False,
        pace: float | None = None,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self.session = session
        self.kind = kind
        self.capacity = capacity
        self.every = every
        self.budget = budget
        self.rate = rate
        self.trace = trace
        self.seed = seed
        self.synchronous = synchronous
        self.pace = pace
        self.cpu = cpu
        self.events: list[Event] = []
        #: The model in use.
        self.artifact: Artifact | None = None
        #: The latest that was in use: what a candidate is compared with.
        self._incumbent: Artifact | None = None
        self._job: Job | None = None
        self._threads = None if synchronous else ThreadPoolExecutor(1, "augury-training")
        #: Rows before this tick are of another nature.
        self._since = 0
        # When the rows that are kept are complete.
        self._due = 2 * every

    def load(self, artifact: Artifact) -> None:
        """Begin with a model.

        Raises:
            ConfigError: it does not tell the probability of reuse within a horizon, or within one
                too long for the rows that are kept, and cannot be watched.
        """
        if artifact.meaning != "probability" or not artifact.horizon:
            raise ConfigError(
                "only a model of a probability within a horizon can be watched for drift"
            )
        if artifact.horizon > self.every:
            raise ConfigError(
                f"the model is of reuse within {artifact.horizon:,.0f} requests, and rows are kept "
                f"for no more than twice {self.every:,}: train less often"
            )
        self.artifact = self._incumbent = artifact
        self.session.set_model(artifact.native)
        self._due = self.tick + self.every
        self._tell("loaded", f"{artifact.card.get('description', 'a model')}, given")

    @property
    def tick(self) -> int:
        """Requests so far."""
        return self.session.position[0]

    @property
    def now(self) -> float:
        """Seconds of the traffic so far."""
        requests, seconds = self.session.position
        return requests / self.pace if self.pace else float(seconds)

    def step(self) -> None:
        """Look after the model; to be called every few thousand requests."""
        self._collect()
        self._watch()
        if self._job is None and self.tick >= self._due:
            self._begin()

    def finish(self) -> None:
        """Wait for a training under way and end the thread."""
        if self._threads:
            self._threads.shutdown(wait=True)
        self._collect()

    def _tell(self, what: What, detail: str, **scores: float | None) -> None:
        self.events.append(Event(self.tick, what, detail, scores))

    def _watch(self) -> None:
        """Let go of a model whose predictions stopped holding."""
        drift = self.session.drift
        if drift is None or drift["alarm"] is None:
            return
        since, rows, told, seen = drift["alarm"]
        self._tell(
            "drift",
            f"of {rows:,} rows since request {since:,} told about {told:.1%}, {seen:.1%} were "
            "reused",
            since=since,
            told=told,
            seen=seen,
            labelled=drift["labelled"],
            log_loss=drift["log_loss"],
            expected_log_loss=drift["expected_log_loss"],
            calibration_error=drift["calibration_error"],
        )
        self.session.set_model(None)
        self.artifact = None
        self._tell("fell back", f"{self.session.ruling or 'auto'} rules")
        self._since, self._due = since, self.tick
        if self._job is not None:
            self._job.is_outdated = True

    def _horizon(self, data: DataSet) -> int:
        """That of the latest model where it still fits the cache, else one that does."""
        # A label must be certain long before its row is dropped.
        wanted = min(data.horizon(), self.every // 4)
        last = self._incumbent.horizon if self._incumbent else None
        if last and wanted / SAME_HORIZON <= last <= wanted * SAME_HORIZON:
            return int(last)
        return max(wanted, 1)

    def _begin(self) -> None:
        """Start a training, if there are rows enough and the budget has room."""
        data = data_set_of(self.session.samples(), self.trace).after(self._since)
        horizon = self._horizon(data)
        known = len(data.labelled(horizon)[0])
        if known < LEAST_ROWS:
            self._due = self.tick + max(int((LEAST_ROWS - known) / self.rate), STEP)
            return
        began = self.now
        rows = self.budget.rows(began, len(data))
        # Those of the last horizon have no label yet.
        unlabelled = len(data) - known
        if rows < min(LEAST_ROWS + unlabelled, len(data)):
            allowed = max(self.budget.allowed(began), 0.0)
            self._tell(
                "skipped",
                f"{allowed:.2f} s of CPU time are allowed, enough for {rows:,} rows",
                allowed_seconds=allowed,
            )
            self._due = self.tick + max(self.every // 4, STEP)
            return
        self._due = self.tick + self.every
        latest = data.take(slice(len(data) - rows, None))
        self._job = Job(self._submit(latest, horizon), self.tick, began, rows)
        if self.synchronous:
            self._collect()

    def _submit(self, data: DataSet, horizon: int) -> "Future[tuple[Candidate | Exception, float]]":
        incumbent = self._incumbent

        def work() -> tuple[Candidate | Exception, float]:
            start = self.cpu()
            found: Candidate | Exception
            try:
                found = retrain(
                    self.kind, data, horizon, incumbent, capacity=self.capacity, seed=self.seed
                )
            except Exception as error:
                # Whatever it is, the cache must run on.
                found = error
            return found, self.cpu() - start

        if self._threads:
            return self._threads.submit(work)
        done: Future[tuple[Candidate | Exception, float]] = Future()
        done.set_result(work())
        return done

    def _collect(self) -> None:
        """Take over what a training has come to."""
        job = self._job
        if job is None or not job.future.done():
            return
        self._job = None
        found, seconds = job.future.result()
        self.budget.spent(job.began, seconds, job.rows)
        if isinstance(found, Exception):
            self._tell("failed", f"{type(found).__name__}: {found}", cpu_seconds=seconds)
        elif job.is_outdated:
            self._tell("outdated", "it began before the drift", cpu_seconds=seconds)
        else:
            self._decide(found, seconds)

    def _decide(self, found: Candidate, seconds: float) -> None:
        before = skill_of(found.incumbent) if found.incumbent else None
        after = skill_of(found.scores)
        self._tell(
            "trained",
            f"{found.rows:,} rows in {seconds:.2f} s of CPU time",
            rows=found.rows,
            cpu_seconds=seconds,
            log_loss=found.scores.log_loss,
            base_log_loss=found.scores.base_log_loss,
            skill=after,
        )
        beside = "no other" if before is None else f"{before:.3f} of the one before"
        words = f"skill {after:.3f} on later rows, {beside}"
        if not found.is_better:
            self._tell("kept", f"{words}: no better", skill_before=before, skill=after)
            return
        words += ", and takes over from it" if self.artifact else ", and is on trial"
        self.session.set_model(found.artifact.native, renews=True)
        self.artifact = self._incumbent = found.artifact
        self._tell("swapped", words, skill_before=before, skill=after)
