"""Grade a class: ``make grade SUBMISSIONS=...`` or ``python -m classroom.grading.run ...``.

Submissions are tasks for processes of this machine or a Dask cluster. Each result is on disk before
the next one is waited for, so a run that is stopped, however, goes on where it was. Everything
that is shown is then made from these results and nbgrader's gradebook.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import re
import secrets
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from classroom.sandbox import Limits, UnavailableError
from cs231n_helpers.progress_bar import progress

from .pages import Graded, feedback_page, summary_page
from .rubrics import POINTS
from .submission import NOTEBOOKS, Result, clean, grade_submission, read_folder

ROOT = Path(__file__).resolve().parent.parent.parent

#: Modules here that hand out, collect and show, so that a change in them changes no points.
NO_POINTS = ("bundle.py", "notebooks.py", "solved.py", "run.py", "gradebook.py", "pages.py")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Student:
    """A folder of submissions: the student's name as it is shown, and the name of their files."""

    folder: Path
    name: str
    file_name: str


def students_in(submissions: Path) -> tuple[list[Student], list[str]]:
    """Return the students, by name, and a sentence for all else that lies there."""
    students, notes = [], []
    for path in submissions.iterdir():
        if path.name.startswith("."):  # of a system or an editor
            if path.is_dir() and path.name not in (".ipynb_checkpoints", ".git"):
                notes.append(f"{clean(path.name)} is a hidden folder and was left out.")
        elif path.is_dir() or path.is_symlink():
            students.append(Student(path, _shown_name(path.name), _file_name(path.name)))
        else:
            notes.append(f"{clean(path.name)} is no folder of a student and was left out.")
    return sorted(students, key=lambda student: student.name), sorted(notes)


def _hash_of(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def _shown_name(name: str) -> str:
    """Return a name that the gradebook can hold: 128 printable characters, unlike all others."""
    shown = clean(name).replace("\n", " ").replace("\t", " ")
    return shown if shown == name and len(name) <= 128 else f"{shown[:119]}-{_hash_of(name)}"


def _file_name(name: str) -> str:
    """Return a file name that no system minds and no other student has.

    >>> _file_name("anna.lee"), _file_name("Zoë")
    ('anna.lee', 'Zo_-c6a12698')
    """
    if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,63}", name) and not re.match(
        r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)|.*\.$|.*-[0-9a-f]{8}$", name
    ):
        return name
    return re.sub(r"[^A-Za-z0-9]", "_", name)[:48] + "-" + _hash_of(name)


# Tasks on an executor


def outcomes(
    task: Callable[[Item], Any],
    items: Iterable[Item],
    make_executor: Callable[[], Executor],
    window: Callable[[], int],
) -> Iterator[tuple[Item, Any]]:
    """Yield (item, result) in the order in which they are ready; of a failure, the exception.

    About ``window()`` items are on their way at a time. When a process dies, all of these are
    suspects: each is tried again, alone, and fails for good if that fails, too.
    """
    waiting, suspects = deque(items), deque[Item]()
    failures: Counter[Item] = Counter()
    running: dict[Future[Any], Item] = {}
    executor = make_executor()

    def next_queue() -> deque[Item] | None:
        if any(failures[item] for item in running.values()):
            return None  # that one is alone
        if suspects:
            return None if running else suspects
        return waiting if len(running) < window() else None

    try:
        while waiting or suspects or running:
            broken = False
            try:
                while queue := next_queue():
                    running[executor.submit(task, queue[0])] = queue[0]
                    queue.popleft()
            except BrokenExecutor:
                broken = True
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                item = running.pop(future)
                error = future.exception()
                if error is None:
                    yield item, future.result()
                    continue
                broken |= isinstance(error, BrokenExecutor)
                failures[item] += 1
                if failures[item] == 1:
                    suspects.append(item)
                else:
                    yield item, error
            if broken and not running:
                executor.shutdown(wait=False)
                executor = make_executor()
    finally:
        for future in running:
            future.cancel()
        executor.shutdown(wait=False)


def _local_executor(workers: int) -> Executor:
    """Return processes of this machine; spawned, as this one has threads."""
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_prepare_process)


def _prepare_process() -> None:
    threadpool_limits(1)  # a process a processor
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which ends all
    parent = parent_process()
    if parent is not None:  # a killed grader leaves no process behind

        def follow() -> None:
            wait_for_end([parent.sentinel])
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()


@contextmanager
def _executors(
    workers: int, scheduler: str | None
) -> Iterator[tuple[Callable[[], Executor], Callable[[], int]]]:
    """Yield what makes an executor, and how many tasks should be on their way."""
    if scheduler is None:
        others = set(active_children())
        try:
            yield partial(_local_executor, workers), lambda: workers + 1
        finally:
            for process in set(active_children()) - others:
                process.terminate()
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise RefusedError(
            "--scheduler needs Dask: pip install 'cs231n-helpers[dask]', or leave it out to grade "
            "with the processors of this machine"
        ) from error
    try:
        client: Any = Client(scheduler, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise RefusedError(f"no Dask scheduler answers at {scheduler}: {error}") from error
    with client:
        yield (
            partial(client.get_executor, pure=False),
            lambda: 2 * max(1, sum(client.nthreads().values())),
        )


# Files


class RefusedError(Exception):
    """Something that the teacher has to mend before anything can be graded."""


def write(path: Path, text: str) -> None:
    """Write a file so that at any moment it is there as a whole, the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the output folder for this process; the system lets go of it when the process dies."""
    with (out / ".lock").open("a+b") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RefusedError(
                f"another grader is at work in {out}: wait for its end, or give another --out"
            ) from error
        yield


def _read_json(path: Path) -> Any:
    with suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    return None


def _begin(path: Path, seed: int | None, late: str | None) -> dict[str, Any]:
    """Note what this run was begun with: by default the rule of the last one, and a fresh seed.

    A run that was interrupted is gone on with, so its seed stays.
    """
    last = _read_json(path) or {"seed": None, "late": "none", "finished": True}
    if seed is None:
        seed = secrets.randbits(32) if last["finished"] else last["seed"]
    run = {"seed": seed, "late": late or last["late"], "finished": False}
    write(path, json.dumps(run))
    return run


def _version(released: Path, limits: Limits) -> str:
    """Return a hash of all that decides on points besides the submission."""
    digest = hashlib.sha256(repr(limits).encode())
    for folder in (ROOT / "classroom", ROOT / "cs231n_helpers", released):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".ipynb") and path.name not in NO_POINTS and path.is_file():
                digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


# A run


def grade(arguments: argparse.Namespace) -> int:
    """Grade what is new or changed, write all output, and return how many were not graded."""
    # It takes seconds to import, which the workers do without.
    from .gradebook import Gradebook, check_database

    shown = partial(progress, unit=" submissions", delay=0)
    out: Path = arguments.out
    results = out / "results"
    students, problems = students_in(arguments.submissions)
    if not students:
        raise RefusedError(
            f"{arguments.submissions} holds no folder, but each student needs one with their "
            "notebooks"
        )
    try:
        results.mkdir(parents=True, exist_ok=True)
        (out / "feedback").mkdir(exist_ok=True)
        check_database(arguments.db)
    except OSError as error:
        raise RefusedError(
            f"--out {out} cannot be written ({error.strerror}): give a folder that can"
        ) from error
    except ValueError as error:
        raise RefusedError(str(error)) from error
    with locked(out):
        run = _begin(out / "run.json", arguments.seed, arguments.late)
        limits = Limits(call=arguments.call, wall=arguments.budget)
        version = _version(arguments.released, limits)
        handed_in = {}  # without the notebooks, which may be large
        for student in students:
            files = read_folder(student.folder, arguments.assignment)
            handed_in[student] = (files.digest, files.timestamp)

        def stored(student: Student) -> Any:
            kept = _read_json(results / f"{student.file_name}.json")
            return kept if kept and kept["key"] == f"{version} {handed_in[student][0]}" else None

        todo = []
        for student in students:
            kept = stored(student)
            if kept is None or arguments.seed not in (None, kept["seed"]):
                todo.append(student)
        print(
            f"{len(students)} submissions, {len(todo)} to be graded; seed {run['seed']}", flush=True
        )

        failed: dict[Student, str] = {}
        task = partial(
            _grade_one,
            assignment=arguments.assignment,
            released=arguments.released,
            seed=run["seed"],
            limits=limits,
        )
        workers = max(1, min(arguments.workers, len(todo)))
        with _executors(workers, arguments.scheduler) as executors:
            items = [(student.folder, handed_in[student][0]) for student in todo]
            by_folder = {student.folder: student for student in todo}
            found = outcomes(task, items, *executors)
            for (folder, digest), outcome in shown(found, "grading", total=len(todo)):
                student = by_folder[folder]
                if isinstance(outcome, UnavailableError):
                    raise RefusedError(str(outcome)) from outcome
                if isinstance(outcome, BaseException):
                    failed[student] = clean(f"{type(outcome).__name__}: {outcome}")[:300]
                    continue
                record = {
                    "student": student.name,
                    "key": f"{version} {digest}",
                    "seed": run["seed"],
                }
                write(results / f"{student.file_name}.json", json.dumps(record | outcome, indent=1))

        graded = []
        with Gradebook(arguments.db, arguments.assignment, arguments.deadline, run["late"]) as book:
            deadline = book.deadline
            for student in shown(students, "writing"):
                result = None if student in failed else stored(student)
                timestamp = handed_in[student][1]
                row = book.record(student.name, timestamp, *_scores(result))
                one = Graded(
                    student.name,
                    f"feedback/{student.file_name}.html",
                    timestamp,
                    row,
                    result,
                    failed.get(student, ""),
                )
                write(out / one.page, feedback_page(one, run["late"]))
                graded.append(one)
        write(out / "grades.csv", grades_csv(graded))
        page = summary_page(graded, problems, deadline, run["late"], arguments.assignment)
        write(out / "summary.html", page)
        write(out / "run.json", json.dumps(run | {"finished": True}))
    print(f"{out / 'grades.csv'}, {out / 'summary.html'}, {out / 'feedback'}")
    for student, why in failed.items():
        print(f"not graded: {student.name}: {why}", file=sys.stderr)
    return len(failed)


def _grade_one(item: tuple[Path, str], **settings: Any) -> Result:
    """Grade one submission in another process, if it sees the same files as this one did."""
    folder, digest = item
    files = read_folder(folder, settings.pop("assignment"))
    if files.digest != digest:
        raise RuntimeError(
            f"{folder} was changed while the class was graded, or is another folder on this "
            "machine; grade again"
        )
    return grade_submission(files, **settings)


def _scores(result: Result | None) -> tuple[dict[str, float], dict[str, str]]:
    """Return points and comments for the gradebook, by exercise."""
    exercises = result["exercises"] if result else {}
    return (
        {name: one["points"] for name, one in exercises.items()},
        {
            name: "\n".join([*one["notes"], *(part["sentence"] for part in one["parts"])])
            for name, one in exercises.items()
        },
    )


def grades_csv(graded: Sequence[Graded]) -> str:
    """Return the table of grades, one student a row."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", "timestamp", *POINTS, "raw", "late_penalty", "total"])
    for one in graded:
        row = one.row
        numbers = [*row.points.values(), row.raw, row.penalty, row.total]
        # a spreadsheet takes what begins like this for a formula
        name = re.sub(r"^(?=[=+\-@])", "'", one.student)
        table.writerow([name, one.timestamp or "", *(f"{number:.2f}" for number in numbers)])
    return text.getvalue()


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom.grading.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("submissions", type=Path, nargs="?", help="a folder with a folder for each student")
    add("--out", type=Path, default=Path("build/grades"), help="where to write (%(default)s)")
    add(
        "--released",
        type=Path,
        default=ROOT / "build" / "assignment",
        help="what the students were given, made by `make assignment` (build/assignment)",
    )
    add(
        "--assignment",
        default="assignment1",
        metavar="NAME",
        help="its name in the gradebook and in nbgrader's folders (%(default)s)",
    )
    add(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="submissions graded at a time (the number of processors, %(default)s)",
    )
    add("--scheduler", metavar="ADDRESS", help="grade on a Dask cluster, as in tcp://host:8786")
    add("--db", metavar="URL", help="the gradebook (sqlite:///OUT/gradebook.db)")
    add(
        "--deadline",
        type=_time,
        metavar="TIME",
        help="as in 2030-01-31T23:59+01:00, UTC without an offset, and a date alone is its first "
        "minute; kept in the gradebook",
    )
    add(
        "--late",
        metavar="RULE",
        help="penalty for being late: none, zero, 10%%/day, 2%%/hour or the class of an nbgrader "
        "plugin such as late.SubMarks (the one of the last run, at first none)",
    )
    add("--seed", type=int, metavar="N", help="of the hidden tests (a fresh one each run)")
    add(
        "--budget",
        type=float,
        default=300,
        metavar="SECONDS",
        help="time for all exercises of a submission (%(default)g)",
    )
    add(
        "--call",
        type=float,
        default=20,
        metavar="SECONDS",
        help="time for a cell, and for one call of a function (%(default)g)",
    )
    found = parser.parse_args(arguments)
    if found.submissions is None:
        parser.error("no submissions: give their folder, as in `make grade SUBMISSIONS=submitted`")
    if not found.submissions.is_dir():
        parser.error(f"{found.submissions} is no folder: give the one that holds the submissions")
    missing = [name for name in NOTEBOOKS if not (found.released / f"{name}.ipynb").is_file()]
    if missing:
        parser.error(f"{found.released} has no {missing[0]}.ipynb: run `make assignment` first")
    if found.workers < 1 or not (found.budget > 0 and found.call > 0):
        parser.error("--workers must be at least 1, --budget and --call more than 0")
    if found.seed is not None and found.seed < 0:
        parser.error(f"--seed {found.seed} is negative, but a seed is 0 or larger")
    if found.late:
        from .gradebook import late_plugin

        try:
            late_plugin(found.late)
        except ValueError as error:
            parser.error(str(error))
    for name in ("submissions", "out", "released"):
        setattr(found, name, getattr(found, name).resolve())
    found.db = found.db or f"sqlite:///{found.out / 'gradebook.db'}"
    return found


EPILOG = """\
SUBMISSIONS holds a folder for each student, named like the student, with 01_svm.ipynb to
04_dx_derivation.ipynb in it or at most two folders below, as nbgrader's submitted/ has it.
timestamp.txt beside the notebooks, which nbgrader's collect writes, says when they were handed in.

Written are grades.csv, feedback/STUDENT.html, summary.html and the gradebook. Points, comments
and penalties are in the gradebook, where `nbgrader export` and nbgrader's API find them.
What a teacher enters there (a manual score, extra credit, an extension) is kept, and counts in all
files from the next run on. In grades.csv a name that begins with = + - or @ has a ' before it.

A second run grades only what is new or changed, in submissions, hidden tests or package; one that
was stopped goes on. With --scheduler all machines need this project and see the same folders.
"""


def _time(text: str) -> datetime:
    """Return a time in UTC without a zone, as nbgrader keeps it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write it as in 2030-01-31T23:59+01:00"
        ) from error
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all were graded, 1 when some were not, 2 when nothing began."""
    try:
        return min(1, grade(parse_arguments(arguments)))
    except RefusedError as refusal:
        print(f"make grade: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nstopped: all results so far are kept, and the same command goes on with the rest",
            file=sys.stderr,
        )
        return 130


if __name__ == "__main__":
    sys.exit(main())
