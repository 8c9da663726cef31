"""A whole process measured from outside: wall time, processor time, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Run:
    """What one finished process took: seconds by the clock, seconds of processor, MiB at its peak."""

    wall: float
    cpu: float
    peak: float


def run_process(command: Sequence[str]) -> Run:
    """Run a command to its end; a command that fails stops the benchmark with what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{output.decode(errors='replace')}")
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale)


def compare(commands: Mapping[str, Callable[[], Sequence[str]]], rounds: int) -> dict[str, list[Run]]:
    """Run each command once to warm the disk's cache, then `rounds` times in turn, the order swapped."""
    for make in commands.values():
        run_process(make())
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds):
        names = list(commands) if number % 2 == 0 else list(reversed(commands))
        for name in names:
            runs[name].append(run_process(commands[name]()))
    return runs


def table(runs: Mapping[str, Sequence[Run]], reference: str) -> str:
    """Medians of each command, and the median of its ratios to the reference, round by round."""
    lines = [f"{'':<24}{'wall s':>9}{'cpu s':>9}{'peak MiB':>10}{'wall ratio':>12}{'peak ratio':>12}"]
    for name, own in runs.items():
        pairs = list(zip(own, runs[reference], strict=True))
        wall = median(a.wall / b.wall for a, b in pairs)
        peak = median(a.peak / b.peak for a, b in pairs)
        lines.append(
            f"{name:<24}{median(r.wall for r in own):>9.2f}{median(r.cpu for r in own):>9.2f}"
            f"{median(r.peak for r in own):>10.0f}{wall:>12.2f}{peak:>12.2f}"
        )
    return "\n".join(lines)
