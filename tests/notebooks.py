"""Run notebooks and store their outputs, or check that the stored outputs can be trusted.

nbval compares what a cell prints with what is stored, but a cell that was never run or has nothing
stored is not compared at all. `check` finds these and other holes, `run` fills them: each notebook
is executed from the top in a fresh kernel and stored as it came out, or left untouched if a cell
fails or somebody stops it. `html` makes a page of each in build/pages, without running it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isolation import ROOT, isolate

sys.path.insert(0, str(ROOT))
from classroom.orderly import status, stop_at_signals

if TYPE_CHECKING:  # the libraries take seconds to import, in which somebody may press Ctrl-C
    from nbclient import NotebookClient
    from nbformat import NotebookNode

FOLDER = ROOT / "notebooks"
PAGES = ROOT / "build" / "pages"
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/~<*)}\\])/(?:[\w.@-]+/)+[\w.@-]+|\b[A-Z]:\\+\w+")
NEVER_RUN_MARKS = ("nbval-skip", "NBVAL_SKIP")
RAISES_MARKS = ("raises-exception", "nbval-raises-exception", "NBVAL_RAISES_EXCEPTION")
CELL_TIMEOUT = 300  # seconds
#: nbconvert's own page, whose images lack their alternative texts.
PAGE = r"""
{%- extends "lab/index.html.j2" -%}
{%- block data_png scoped -%}
{%- set text = output | get_metadata("alt", "image/png") or "" -%}
{%- set described = '<img alt="' ~ (text | escape_html) ~ '" ' -%}
{{ super() | replace("<img ", described, 1) if text else super() }}
{%- endblock data_png -%}
"""
LIVE = "application/vnd.jupyter.widget-view+json"  # a control, dead where no kernel runs


def problems(notebook: NotebookNode) -> Iterator[str]:
    """Yield what lets nbval pass over a change, or does not belong in a stored notebook."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        yield f"execution counts are {counts}, not 1 to {len(code)}: it was not run top to bottom"
    for number, cell in enumerate(notebook.cells, start=1):
        for problem in _cell_problems(cell):
            first_line = cell.source.strip().split("\n")[0]
            yield f"cell {number} ({first_line[:50]!r}) {problem}"


def _cell_problems(cell: NotebookNode) -> Iterator[str]:
    path = ABSOLUTE_PATH.search(cell.source)
    if path:
        yield f"names the absolute path {path[0]}"
    if cell.cell_type != "code":
        return
    if not cell.source.strip():
        yield "is an empty code cell"
    marks = [*cell.metadata.get("tags", ()), *re.findall(r"#\s*(NBVAL_\w+)", cell.source)]
    if any(mark in NEVER_RUN_MARKS for mark in marks):
        yield "is marked to be skipped"
    written_by_learners = cell.metadata.get("nbgrader", {}).get("solution")  # a check follows
    if not cell.outputs and not written_by_learners and "start" not in marks:
        yield "has no stored output, so nothing it prints would be compared"
    errors = [output for output in cell.outputs if output.output_type == "error"]
    may_raise = any(mark in RAISES_MARKS for mark in marks)
    if may_raise and not errors:
        yield "is marked raises-exception and raised nothing"
    if errors and not may_raise:
        yield f"ended in {errors[0].ename}"
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            yield f"wrote to stderr: {output.text.strip()[:80]!r}"
        if LIVE in output.get("data", {}):
            yield "stores a live control, which hides the picture that stands for it"
        if "image/png" in output.get("data", {}) and not alternative(output):
            yield "stores a figure without alternative text: begin with %load_ext cs231n_helpers"
        texts = [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
        path = ABSOLUTE_PATH.search("\n".join(texts))
        if path:
            yield f"stores the absolute path {path[0]}"


def alternative(output: NotebookNode) -> str:
    """Return the alternative text of an output's image, "" if it has none."""
    metadata = output.get("metadata", {})
    return str(metadata.get("image/png", {}).get("alt") or metadata.get("alt", ""))


def page(path: Path) -> str:
    """Return a notebook as an HTML page, each image with its alternative text."""
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.read(path, as_version=4)
    exporter: Any = HTMLExporter
    return str(exporter(raw_template=PAGE).from_notebook_node(notebook)[0])


def check(path: Path) -> list[str]:
    """Return the problems of one notebook file."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises many kinds, a file is bad for any of them
        return [f"is no valid notebook: {str(error).splitlines()[0]}"]
    return list(problems(notebook))


def is_alive(process: int) -> bool:
    """Return whether there is a process of this number; where that cannot be asked, say yes."""
    try:
        if os.name == "posix":
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def connections(home: Path) -> Path:
    """Return a folder for what connects to this process' kernels; those of the dead are removed."""
    for folder in (home / "connections").glob("*"):
        if not is_alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    ours = home / "connections" / str(os.getpid())
    ours.mkdir(parents=True, exist_ok=True)
    return ours


def execute(client: NotebookClient) -> None:
    """Execute a notebook; whatever ends this, its kernel has then ended, too."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    async def all_cells() -> None:
        running.append((asyncio.get_running_loop(), asyncio.current_task()))
        kernel = client.create_kernel_manager()
        kernel.connection_file = str(connection)
        try:
            environment = {**os.environ, "CS231N_PROGRESS": "0"}
            await client.async_execute(cleanup_kc=False, env=environment)
        finally:
            if client.kc:
                client.kc.stop_channels()
            if kernel.has_kernel:
                await kernel.shutdown_kernel(now=True)

    connection = connections(Path(os.environ["HOME"])) / "kernel.json"
    running: list[Any] = []
    with ThreadPoolExecutor(1) as thread:  # in the main one, nbclient takes the signals for itself
        done = thread.submit(lambda: asyncio.run(all_cells()))
        try:
            done.result()
        except KeyboardInterrupt:
            for loop, task in running:
                loop.call_soon_threadsafe(task.cancel)
            raise


def run(path: Path) -> None:
    """Execute a notebook in a fresh kernel and store it; an error leaves the file as it was."""
    import nbformat
    from nbclient import NotebookClient

    from cs231n_helpers.leftovers import replacing

    notebook = nbformat.read(path, as_version=4)
    execute(
        NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            record_timing=False,
            store_widget_state=False,
            allow_errors=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
        )
    )
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        kept = ("tags", "nbgrader")
        cell.metadata = {key: cell.metadata[key] for key in kept if cell.metadata.get(key)}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(LIVE, None)
    with replacing(path) as unfinished:
        nbformat.write(notebook, unfinished)


def run_again(path: Path) -> list[str]:
    """Run a notebook and say how long it took; return why it was not stored."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    started = time.perf_counter()
    try:
        run(path)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return [f"not stored: {error}"]
    except OSError as error:
        return [f"not stored, and as it was: {error.strerror}; mend that and run it again"]
    print(f"{path.name}: {time.perf_counter() - started:.0f} s")
    return []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["check", "run", "html"])
    parser.add_argument("notebook", nargs="*", type=Path, help="default: all in notebooks/")
    options = parser.parse_args(arguments)
    isolate()
    run_too, failed = options.action == "run", False
    stored: list[str] = []
    try:
        for path in options.notebook or sorted(FOLDER.glob("*.ipynb")):
            found = run_again(path) if run_too and path.exists() else []
            stored += [] if found else [path.name]
            found += check(path) if path.exists() else ["is no file: name one in notebooks/"]
            if options.action == "html" and path.exists():
                PAGES.mkdir(parents=True, exist_ok=True)
                (PAGES / f"{path.stem}.html").write_text(page(path), "utf-8")
            for problem in found:
                print(f"{path.name}: {problem}", file=sys.stderr)
            failed = failed or bool(found)
    except KeyboardInterrupt as stop:
        what = f"{', '.join(stored) or 'nothing'} stored, the rest is as it was"
        print(f"stopped: {what if run_too else 'not all were checked'}", file=sys.stderr)
        return status(stop)
    return int(failed)


if __name__ == "__main__":
    stop_at_signals()
    raise SystemExit(main())
