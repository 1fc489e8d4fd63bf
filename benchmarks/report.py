"""How the measurements of bench.py are written down: tables in Markdown, and a picture."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peers
from threadpoolctl import threadpool_info

from cs231n_helpers.leftovers import replacing

PEERS = {"torch": "PyTorch", "sklearn": "scikit-learn"}

HOW = """\
## How it is fast

- **Blocks that stay in cache** (`losses.py`). A loss goes through X in blocks of about 6 MB: the
  gradient's product finds its block in the cache, so X is read from memory once and not twice.
- **Transposed products.** `dW.T = dscores.T @ X` is the same gradient as `dW = X.T @ dscores`, but
  BLAS then walks through X row by row, as it lies in memory: up to twice as fast.
- **Scores column by column.** C is small and N is large, so the scores are kept in column-major
  order: NumPy's inner loops for maximum, exp and sum run over N examples and not over 10 classes.
- **Threads that wait without spinning** (`threads.py`). Blocks of examples, of a minibatch two, are
  worked on side by side by threads of Python's, with BLAS on one thread in each: BLAS's own threads
  spin while they wait, which a busy machine pays for. In a step each thread copies its examples
  out of X, goes forward and back with them, and is waited for once.
- **Weights laid out like their gradient** (`training.py`). The update of a step then runs
  straight through memory, and in the net it is done in place.
- **A grid as one wide product** (`search.py`). Up to 16 linear runs share their minibatches and
  stand beside each other as one (K * C, D) matrix: one product instead of 16, one gather, and to
  the loss the runs are just more examples. Other models go to a process a processor.
- **float32 end to end**, half the memory traffic, with sums of losses in float64.
- **Data mapped, not copied.** Only blocks and minibatches are read, so an `np.memmap` larger than
  memory will do; processes of a search map one file, and CIFAR-10 is read into its final matrix.
"""


@dataclass
class Row:
    """One line of the table: samples per unit of work, by who did it.

    `goal` is the ratio of the package to `reference` to be met; `flops` and `moved` (bytes) are
    what the work needs at least.
    """

    work: str
    reference: str
    samples: Mapping[str, Sequence[float]]
    goal: float | None = None
    dtype: str = "float32"
    flops: float = 0
    moved: float = 0
    unit: str = "ms"
    note: str = ""

    def middle(self, name: str) -> float:
        """Median of what `name` took."""
        return statistics.median(self.samples[name])

    def ratio(self, name: str = "package") -> float | None:
        """Median, over the rounds, of `name` against the reference; None where it did not run."""
        if name not in self.samples or self.reference not in self.samples:
            return None
        pairs = zip(self.samples[name], self.samples[self.reference], strict=True)
        return statistics.median(a / b for a, b in pairs)


@dataclass
class Scaling:
    """Seconds against one quantity."""

    work: str
    quantity: str
    points: Sequence[float]
    seconds: Sequence[float]

    @property
    def exponent(self) -> float:
        """The p of seconds = constant * points**p, fitted in logarithms."""
        return float(np.polyfit(np.log(self.points), np.log(self.seconds), 1)[0])


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with its columns aligned, the first to the left."""
    cells = [list(header), *(list(line) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "".join(
        f"| {line[0]:<{widths[0]}} | "
        + " | ".join(map(str.rjust, line[1:], widths[1:]))
        + " |\n"
        for line in cells
    )  # fmt: skip


def digits(number: float) -> str:
    """Return a number >= 0 with three digits, and never with an exponent."""
    return f"{number:,.0f}" if number >= 100 else f"{number:#.3g}" if number >= 1e-4 else "0"


def results_table(rows: Sequence[Row]) -> str:
    """Return the table of goals, with a column for each peer that ran."""
    others = [name for name in ("usual", *PEERS.values()) if any(name in r.samples for r in rows)]
    lines = []
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:.3g}"
        met = "" if row.goal is None else "yes" if (row.ratio() or np.inf) <= row.goal else "no"
        scale = 1e3 if row.unit == "ms" else 1
        took = (f"{digits(row.middle(n) * scale)} {row.unit}" for n in ("package", row.reference))
        ratios = (row.ratio(name) for name in ("package", *others))
        numbers = ("" if ratio is None else f"{ratio:.2f}" for ratio in ratios)
        lines.append([row.work, row.reference, *took, goal, met, *numbers])
    header = ["work", "reference", "package takes", "reference takes", "goal", "met", "**package**"]
    return table([*header, *others], lines)


def roofline_table(rows: Sequence[Row], rates: Mapping[str, float]) -> str:
    """Return what each row would take at the machine's limits."""
    lines = []
    for row in rows:
        if row.unit == "ms":
            products, memory = row.flops / rates[row.dtype], row.moved / rates["memory"]
            near = "products" if products > memory else "memory"
            share = max(products, memory) / row.middle("package")
            times = (f"{digits(1e3 * seconds)} ms" for seconds in (products, memory))
            lines.append([row.work, *times, near, f"{share:.0%}"])
    return table(["work", "products", "memory", "nearer limit", "of that limit"], lines)


def machine(compared: Mapping[str, str] = PEERS) -> str:
    """Return what was measured on, and with; `compared` has modules and what they are called."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    with (cpuinfo if cpuinfo.exists() else Path(os.devnull)).open(encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    lines = [f"{(names or [processor])[0]}, {os.cpu_count()} processors, {memory:.0f} GB of memory"]
    for pool in threadpool_info():
        if pool["user_api"] == "blas" and "scipy.libs" not in pool["filepath"]:  # SciPy brings one
            kernel = f"{pool['internal_api']} {pool['version']}, {pool.get('architecture', '')}"
            threads = pool["num_threads"]
            lines.append(f"{kernel} kernels, {threads} thread{'s' if threads > 1 else ''}")
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    for name, label in compared.items():
        module = peers.installed(name)
        versions.append(f"{label} {module.__version__}" if module else f"{label} not installed")
    return "".join(f"- {line}\n" for line in dict.fromkeys([*lines, ", ".join(versions)]))


def report(
    rows: Sequence[Row], rates: Mapping[str, float], scaled: Sequence[Scaling], on_paper: str
) -> str:
    """Return all tables in Markdown."""
    speeds = ", ".join(f"{rates[dtype] / 1e9:.0f} Gflop/s in {dtype}" for dtype in rates
                       if dtype != "memory")  # fmt: skip
    lines = [
        [s.work, s.quantity, ", ".join(f"{p:,}" for p in s.points),
         ", ".join(digits(t) for t in s.seconds), f"{s.exponent:.2f}"] for s in scaled
    ]  # fmt: skip
    header = ["work", "against", "points", "seconds", "exponent"]
    scaling = f"## Scaling\n\n{table(header, lines)}\n{on_paper}" if lines else ""
    notes = "".join(f"{row.note}\n" for row in rows if row.note)
    return f"""\
## Against the goals

Ratios are times (or memory) against the reference, less is better; the last columns are others
against the same reference. Training steps are whole runs divided by their steps: everything counts.
scikit-learn has a public counterpart for the net alone: its linear models take one example a step.
{notes}
{results_table(rows)}
## Against the machine

Measured in the same run: {speeds} for large square products, {rates["memory"] / 1e9:.1f} GB/s of
reading. The table shows the time the work takes at these rates. Where data stay in the cache
(N = 500), the memory's limit does not bind; narrow products do not reach the peak of square ones.

{roofline_table(rows, rates)}
{scaling}"""


def whole(tables: str) -> str:
    """Return the page results.md."""
    return f"""\
# How fast it is

Written by `make bench-peers`, or by `make bench` without the peers. Measured on

{machine()}
![Ratios against the references](results.png)

{HOW}
{tables}"""


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw the ratios as bars, with goals and the usual solution marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1.6 + 0.34 * len(rows)), layout="constrained")
    ax = FigureCanvasAgg(figure).figure.add_subplot()
    for i, row in enumerate(rows):
        ratio, usual = row.ratio(), row.ratio("usual")
        assert ratio is not None
        missed = row.goal is not None and ratio > row.goal
        ax.barh(i, ratio, 0.6, color="#D55E00" if missed else "#0072B2")
        at_the_right = ax.get_yaxis_transform()  # where it covers no mark
        ax.text(1.01, i, f"{ratio:.2f}", transform=at_the_right, va="center", fontsize=9)
        if row.goal is not None:
            ax.plot([row.goal] * 2, [i - 0.42, i + 0.42], color="black", lw=2.5)
        if usual is not None:
            ax.plot(usual, i, "o", mfc="white", mec="black", ms=6)
    ax.axvline(1, color="0.5", lw=1, ls="--", zorder=0)
    ax.set_yticks(range(len(rows)), [f"{row.work}\nvs {row.reference}" for row in rows], fontsize=7)
    ax.set(
        xlabel="time or memory against the reference (dashed: 1); less is better", xlim=(0, None)
    )
    ax.set_ylim(len(rows) - 0.4, -0.6)
    for label, style in {
        "package, goal met or none set": {"color": "#0072B2", "lw": 8},
        "package, goal missed": {"color": "#D55E00", "lw": 8},
        "goal": {"color": "black", "ls": "", "marker": "|", "ms": 12, "mew": 2.5},
        "usual course solution": {"ls": "", "marker": "o", "mfc": "white", "mec": "black"},
    }.items():
        ax.plot([], [], label=label, **style)  # type: ignore[arg-type]
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120, format="png")


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside `path` and put it in its place when it is complete."""
    with replacing(path) as part:
        write(part)
