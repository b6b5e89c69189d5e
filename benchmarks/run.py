"""Measure and render: ``python -m benchmarks.run [--quick] [PART...]``.

The parts are those of ``PARTS`` in render.py; all if none is named. The full run writes results/
and RESULTS.md here; ``--quick`` takes a few traces, one seed and few rounds, and writes to
build/benchmarks, for a look at the scripts and not at numbers.
"""

import argparse

from benchmarks import (
    advice,
    bandit,
    curves,
    freshness,
    harm,
    learning,
    library,
    memory,
    miss_ratios,
    models,
    overhead,
    prefetch,
    prefix_blocks,
    render,
    seasonal,
    sequence,
    speed,
    training,
)
from benchmarks.application import measuring
from benchmarks.inputs import ROOT
from benchmarks.nearcache import measuring as nearcache
from benchmarks.placement import measuring as placement
from benchmarks.scale import measuring as scale
from benchmarks.serving import endurance, equal_memory
from benchmarks.serving import measuring as serving
from benchmarks.together import measuring as together
from benchmarks.web import measuring as web

#: In the order in which they run: what reports times comes last.
PARTS = {
    "miss_ratios": miss_ratios.measure,
    "curves": curves.measure,
    "learning": learning.measure,
    "bandit": bandit.measure,
    "seasonal": seasonal.measure,
    "prefetch": prefetch.measure,
    "sequence": sequence.measure,
    "freshness": freshness.measure,
    "advice": advice.measure,
    "prefix_blocks": prefix_blocks.measure,
    "models": models.measure,
    "harm": harm.measure,
    "memory": memory.measure,
    "overhead": overhead.measure,
    "training": training.measure,
    "library": library.measure,
    "application": measuring.measure,
    "server": serving.measure,
    "equal_memory": equal_memory.measure,
    "endurance": endurance.measure,
    "web": web.measure,
    "placement": placement.measure,
    "scale": scale.measure,
    "nearcache": nearcache.measure,
    "together": together.measure,
    "speed": speed.measure,
}


def main() -> None:
    """Run the parts asked for, then render."""
    parser = argparse.ArgumentParser(description="Measure augury and render RESULTS.md.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a small subset, to build/benchmarks")
    asked = parser.parse_args()
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is called {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    for part in asked.parts or PARTS:
        PARTS[part](asked.quick)
    print(f"wrote {render.main(asked.quick).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
