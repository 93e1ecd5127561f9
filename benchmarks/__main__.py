"""python -m benchmarks [--rounds N] [NAME...]: run benchmarks, all if none is named."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from . import address_change, cold, line_lookup, prober, refresh, set_up, steady, switch_on
from .home import at_home
from .measure import Benchmark
from .results import keep, load, section

BENCHMARKS = {
    each.BENCHMARK.name: each.BENCHMARK
    for each in (switch_on, cold, address_change, set_up, line_lookup, prober, refresh, steady)
}


async def run(benchmarks: Sequence[Benchmark], rounds: int | None) -> None:
    """Print what each benchmark gives, and keep it unless the number of rounds was given."""
    with TemporaryDirectory(prefix="homeport-") as folder:
        async with at_home(Path(folder)) as home:
            for benchmark in benchmarks:
                before = load()
                series = await benchmark.run(home, rounds or benchmark.rounds)
                text = section(benchmark, series, before)
                print(text, flush=True)
                if rounds is None:
                    keep({benchmark.title: text})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help="for a quick look: nothing is kept")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - BENCHMARKS.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    names = arguments.names or BENCHMARKS
    asyncio.run(run([BENCHMARKS[name] for name in names], arguments.rounds))


if __name__ == "__main__":
    main()
