"""What a chat server costs: ours beside the floor and every peer that is installed, in one run.

    python -m benchmarks.compare [--full] [--works hot,small] [--servers stored,floor]
                                 [--rounds N] [--seconds N] [--folder DIR]
                                 [--json FILE] [--from FILE] [--write docs/performance.md]

Every figure comes from a fresh server with limits off, driven over TLS by `load.c`, which checks
that every delivery arrived, once and in order; a run in which one did not has no figure. All
servers take their turn within a round, so a machine that drifts drifts for all; what is kept is the
median of the rounds. CPU per delivery of the server is the figure that counts: load and server
share the machine, and deliveries a second say more about it than about the server.

`--folder` is where servers keep what they store: the disk decides what durability costs. Needs gcc
and the headers of OpenSSL. Exit code 1 when any run was at fault.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from . import plot, results
from .results import Column, Run
from .servers import CONTENDERS, CannotServe, Contender, floor_of, make_certificates, serving
from .works import ROWS, WORKS, Work

HERE: Final = Path(__file__).parent
_LOAD: Final = ("load.c", "link.c", "wire.c", "ledger.c", "usage.c")
_FLOOR: Final = ("floor.c",)
_STRICT: Final = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
RATIOS: Final = "How much more ours gives for the same cost (1.25 ×: a quarter more):"
#: Longer than any work takes on a slow machine, seconds.
_PATIENCE: Final = 600.0


class CannotMeasure(Exception):
    """Something that every run needs is missing; the text says what to do."""


def build(folder: Path) -> tuple[Path, Path]:
    """The load generator and the floor, compiled into `folder`; raises `CannotMeasure`."""
    load, floor = folder / "load", folder / "floor"
    for program, sources in ((load, _LOAD), (floor, _FLOOR)):
        files = [str(HERE / source) for source in sources]
        command = ["gcc", *_STRICT, "-o", str(program), *files, "-lssl", "-lcrypto"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise CannotMeasure("gcc is not installed; on Debian: apt install gcc") from None
        except subprocess.CalledProcessError as error:
            hint = "; on Debian: apt install libssl-dev" if "openssl/" in error.stderr else ""
            raise CannotMeasure(f"{program.name} does not compile{hint}\n{error.stderr}") from None
    return load, floor


# ------------------------------------------------------------------ running


def run_load(load: Path, contender: Contender, work: Work, seconds: float, workshop: Path) -> Run:
    """One work on a fresh server; what went wrong is in the result."""
    folder = workshop / "server"
    try:
        with serving(contender, folder, workshop / "certs") as server:
            command = [str(load), "--wire", contender.wire, "--port", str(server.port)]
            command += [*work.arguments.split(), "--seconds", str(seconds)]
            for pid in server.pids:
                command += ["--pid", str(pid)]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
        run: dict[str, Any] = json.loads(done.stdout)
        if done.stderr:
            print(f"  {done.stderr.strip().splitlines()[0]}", file=sys.stderr)
        return run
    except (CannotServe, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        return {"error": str(error)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(
    works: Sequence[Work],
    contenders: Sequence[Contender],
    rounds: int,
    seconds: float,
    load: Path,
    workshop: Path,
) -> dict[str, dict[str, list[Run]]]:
    """All works on all servers, `rounds` times over, with a line for each on stderr."""
    runs: dict[str, dict[str, list[Run]]] = {
        work.name: {contender.name: [] for contender in contenders} for work in works
    }
    total, count, began = rounds * len(works) * len(contenders), 0, time.monotonic()
    for _ in range(rounds):
        for work in works:
            for contender in contenders:
                run = run_load(load, contender, work, seconds, workshop)
                runs[work.name][contender.name].append(run)
                count += 1
                left = (time.monotonic() - began) / count * (total - count) / 60
                say = f"{work.name} on {contender.name}: {results.faults_of(run) or _in_short(run)}"
                print(f"[{count}/{total}, {left:.0f} min left] {say}", file=sys.stderr)
    return runs


def _in_short(run: Run) -> str:
    if "cpu_us_per_delivery" in run:
        return f"{run['cpu_us_per_delivery']:.2f} µs of CPU per delivery"
    if "idle_cpu_percent" in run:
        return f"{run['kib_per_connection']:.1f} KiB a connection"
    return "nothing was delivered in that time"


def describe_machine() -> str:
    """On what this was measured, in a line."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else platform.machine()
    return (
        f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    )


# ------------------------------------------------------------------ what comes out


def render_page(document: dict[str, Any], picture: str) -> str:
    """The generated part of the page."""
    columns = [Column(**column) for column in document["columns"]]
    lines = results.tabulate(ROWS, columns, document["runs"])
    parts = [
        f"Measured on {document['date']}: {document['machine']}; {document['rounds']} rounds of "
        f"{document['seconds']:g} s, medians.",
        f"![Bars: what each server gives for the same cost]({picture})",
        results.as_markdown(results.figures(lines, columns)),
        RATIOS,
        results.as_markdown(results.ratios(lines, columns)),
        *[f"- {fault}" for fault in results.faults(document["runs"])],
    ]
    return "\n\n".join(parts)


def write_page(page: Path, document: dict[str, Any]) -> None:
    """Put table and picture where the page has its place for them."""
    columns = [Column(**column) for column in document["columns"]]
    lines = results.tabulate(ROWS, columns, document["runs"])
    picture = page.with_suffix(".svg")
    picture.write_text(plot.draw(lines, columns, "For the same cost, the best peer being 1"))
    text = render_page(document, picture.name)
    page.write_text(results.put_between(page.read_text(), text))


def show(document: dict[str, Any]) -> None:
    """The table, and what was at fault, on stdout."""
    columns = [Column(**column) for column in document["columns"]]
    lines = results.tabulate(ROWS, columns, document["runs"])
    print(results.as_text(results.figures(lines, columns)))
    print(f"\n{RATIOS}\n\n{results.as_text(results.ratios(lines, columns))}")
    for fault in results.faults(document["runs"]):
        print(f"at fault: {fault}")


# ------------------------------------------------------------------ options


def chosen(names: str, known: Sequence[Any], what: str) -> list[Any]:
    """Those of `known` that are named; raises `CannotMeasure` for a name that nothing has."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    strange = set(wanted) - {it.name for it in known}
    if strange:
        have = ", ".join(it.name for it in known)
        raise CannotMeasure(f"no {what} is called {', '.join(sorted(strange))}; there are {have}")
    return [it for it in known if not wanted or it.name in wanted]


def _measure_all(options: argparse.Namespace) -> dict[str, Any]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # servers inherit it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # InspIRCd 3.15 may crash while it ends
    works = chosen(options.works, WORKS, "work")
    if not options.works and not options.full:
        works = [work for work in works if not work.full]
    rounds = options.rounds or (3 if options.full else 1)
    with tempfile.TemporaryDirectory(prefix="compare-", dir=options.folder) as name:
        workshop = Path(name)
        workshop.chmod(0o755)  # peers that give up being root read their files in it
        load, floor = build(workshop)
        make_certificates(workshop / "certs")
        contenders = chosen(options.servers, [*CONTENDERS, floor_of(floor)], "server")
        for contender in contenders:
            if contender.program is None:
                print(
                    f"{contender.name} is not installed ({contender.source}): left out",
                    file=sys.stderr,
                )
        contenders = [contender for contender in contenders if contender.program is not None]
        runs = measure(works, contenders, rounds, options.seconds, load, workshop)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "rounds": rounds,
        "seconds": options.seconds,
        "columns": [{"name": it.name, "kind": it.kind} for it in contenders],
        "runs": runs,
    }


def main() -> int:
    """Measure, or read what was measured; show it; keep it where that was asked for."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="all works, three rounds")
    parser.add_argument("--works", default="", metavar="NAMES")
    parser.add_argument("--servers", default="", metavar="NAMES")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=float, default=4.0, metavar="N")
    parser.add_argument("--folder", metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every run")
    parser.add_argument("--from", type=Path, metavar="FILE", dest="source", help="measure nothing")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put table and plot into a page")
    options = parser.parse_args()
    try:
        measured = json.loads(options.source.read_text()) if options.source else None
        document: dict[str, Any] = measured or _measure_all(options)
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.write:
        write_page(options.write, document)
    show(document)
    return 1 if results.faults(document["runs"]) else 0


if __name__ == "__main__":
    sys.exit(main())
