"""Submissions run contained: honest ones as if they were local, hostile ones without effect.

Run by `make test-classroom`, and as nothing here is skipped, it fails where bubblewrap is missing.
"""

from __future__ import annotations

import marshal
import os
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import hostile
import numpy as np
import pytest
from test_protocol import same

import cs231n_helpers
from classroom.sandbox import (
    Cell,
    Limits,
    NotDefinedError,
    Sandbox,
    Seed,
    Stopped,
    StudentError,
    UnavailableError,
    copy_package,
    launch,
    sandbox,
)
from cs231n_helpers import check_gradient

PACKAGE = Path(cs231n_helpers.__file__).parent
SMALL = Limits(cpu=10, call=10, wall=30, memory=700 << 20, files=4 << 20, output=100_000)
pytestmark = pytest.mark.slow


def box(*sources, limits=SMALL, contained=True):
    """Run cells whose ids are their numbers."""
    cells = [Cell(str(i), source) for i, source in enumerate(sources)]
    return Sandbox(PACKAGE, cells, limits, contained=contained)


def data(seed=0, n=12, d=5, c=4, dtype=np.float64):
    rng = np.random.default_rng(seed)
    W, X = rng.normal(size=(d, c)).astype(dtype), rng.normal(size=(n, d)).astype(dtype)
    return W, X, rng.integers(c, size=n)


def local(source, name):
    """Define the same function here."""
    names = {"np": np}
    exec(source, names)
    return names[name]


# ---- honest submissions ----


def test_values_pass_both_ways_and_others_are_refused():
    array = np.random.default_rng(2).normal(size=(1000, 1000))
    with box("def echo(x): return x") as inside:
        echo = inside.function("echo")
        for value in (array, {(1, 0.5): [None, (array[0],)]}, np.float32(0.1), "\u00ef\0"):
            assert same(echo(value), value)
        with pytest.raises(TypeError, match="echo is contained and was given RandomState"):
            echo(np.random.RandomState(0))


def test_subclasses_and_other_byte_orders_arrive_plain():
    source = "def f(x): return np.matrix(x), x[0].astype('>f8'), np.ma.array(x[0], mask=True)"
    x = np.arange(6.0).reshape(2, 3)
    with box(source) as inside:
        assert same(inside.function("f")(x), (x, x[0], x[0]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_honest_function_gives_what_it_gives_here(dtype):
    W, X, y = data(dtype=dtype)
    expected = local(hostile.HONEST, "hinge_arrays")(W, X, y, delta=0.5)
    with box(hostile.HONEST) as inside:
        assert inside.errors == {}
        assert same(inside.function("hinge_arrays")(W, X, y=y, delta=0.5), expected)


def test_names_of_our_imports_need_no_import():
    source = """
def f():
    plt.plot([1, 2])
    import sys
    return rel_error(np.ones(2), np.ones(2)), "matplotlib" in sys.modules, plt.get_backend().lower()
"""
    with box(source, limits=Limits()) as inside:
        assert inside.errors == {}
        assert inside.function("f")() == (0.0, True, "agg")
    with box("def g():\n    import sys\n    return 'matplotlib' in sys.modules") as inside:
        assert inside.function("g")() is False


def test_magics_are_passed_over():
    magics = "%matplotlib inline\n!ls\nif True:\n    %time\nx = 7\n% 3\ndef f(): return x"
    with box(magics) as inside:
        assert inside.errors == {}
        assert inside.function("f")() == 7
    with box("x = (7\n% 3)\ndef f(): return x") as inside:
        assert inside.function("f")() == 1


def test_cells_share_names_and_errors_stay_in_their_cell():
    sources = ["a = 1", "b = a + 1\n\nc = b / 0", "def f(:", "def f(): return a, b", "import gone"]
    with box(*sources) as inside:
        assert inside.function("f")() == (1, 2)
        assert inside.errors == {
            "1": "ZeroDivisionError: division by zero (line 3 of the cell)",
            "2": "SyntaxError: invalid syntax (line 1 of the cell)",
            "4": "ModuleNotFoundError: No module named 'gone' (line 1 of the cell)",
        }


def test_an_error_says_where():
    with box("x = 1", "def f(x):\n    y = 2\n    return np.ones(3) @ np.ones((x, 2))") as inside:
        text = r"^ValueError: matmul.*\(line 3 of the cell\)$"
        with pytest.raises(StudentError, match=text) as info:
            inside.function("f")(2)
        assert (info.value.kind, info.value.cell, info.value.line) == ("ValueError", "1", 3)
        assert same(inside.function("f")(3), np.array([3.0, 3.0]))


def test_functions_that_are_none():
    with box("x = 3") as inside:
        with pytest.raises(NotDefinedError, match="NameError: f is not defined"):
            inside.function("f")(1)
        with pytest.raises(NotDefinedError, match="NameError: x is int, but must be a function"):
            inside.function("x")(1)


@pytest.mark.parametrize(
    ("returned", "word"),
    [
        ("1j", "type complex"), ("np.ones(2) * 1j", "dtype complex128"), ("{1}", "type set"),
        ("len", "type builtin_function"), ("np.array(['a'])", "dtype <U1"),
        ("2**2000", "2001 bits"),
        ("'x' * 100_000", "100000 characters"), ("[0] * 10**6", "more than"), ("b''", "type bytes"),
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_named(returned, word):
    with box(f"def f(): return {returned}") as inside, pytest.raises(StudentError) as info:
        inside.function("f")()
    assert str(info.value).startswith("TypeError: returned ")
    assert word in str(info.value)


# ---- callbacks, generators, changed arguments ----


def test_a_callback_is_called_back():
    source = """
def descent(loss_function, W, rng, steps):
    W, losses = W.copy(), []
    for _ in range(steps):
        loss, dW = loss_function(W, rng.choice(9, 3), reg=0.5)
        losses.append(loss)
        W -= 0.1 * dW
    return W, losses
"""
    seen = []

    def loss_function(W, batch, reg):
        seen.append((W.copy(), batch, reg))
        return float(np.sum(W**2)), 2 * W

    W = np.arange(6.0).reshape(2, 3)
    expected = local(source, "descent")(loss_function, W, np.random.RandomState(3), 4)
    there, seen = seen, []
    with box(source) as inside:
        assert same(inside.function("descent")(loss_function, W, Seed(3), 4), expected)
    assert same(seen, there)


def test_a_function_of_the_box_may_be_the_callback():
    with box("def outer(f, x): return f(x) + 1", "def inner(x): return 2 * x") as inside:
        assert inside.function("outer")(inside.function("inner"), 5) == 11


def test_a_stop_in_a_callback_is_a_stop():
    sources = ["def outer(f): return f()", "import os\ndef inner(): os._exit(0)"]
    with box(*sources) as inside, pytest.raises(Stopped, match="in inner: it ended") as info:
        inside.function("outer")(inside.function("inner"))
    assert info.value.reason == "exit"


def test_an_error_in_a_callback_comes_back_as_it_was():
    def fails(x):
        raise LookupError(f"no {x}")

    swallows = """
def h(g):
    try:
        g(3)
    except LookupError as error:
        return str(error)
"""
    with box("def f(g):\n    return g(3)", swallows, "def k(g): g(object())") as inside:
        with pytest.raises(LookupError, match="no 3") as info:
            inside.function("f")(fails)
        assert "line 2 of the cell" in info.value.__notes__[0]
        assert inside.function("h")(fails) == "no 3"
        with pytest.raises(StudentError, match="passed on a value of type object"):
            inside.function("k")(fails)


def test_changed_arguments_come_back_changed():
    source = """
def f(params, X, keep, rows):
    params["W"] += 1
    params["new"] = X.copy()
    del params["b"]
    X[0] = np.nan
    rows[0][:] = 5
    rows[1] = "x"
"""
    params = {"W": np.zeros((2, 2)), "b": np.ones(2)}
    X, keep, rows = np.ones((3, 2), np.float32), np.arange(4), [np.zeros(2), 1]
    W, row = params["W"], rows[0]
    with box(source) as inside:
        assert inside.function("f")(params, X, keep, rows) is None
    assert params["W"] is W
    assert rows[0] is row
    assert same(W, np.ones((2, 2)))
    assert list(params) == ["W", "new"]
    assert np.isnan(X[0]).all()
    assert same(X[1:], np.ones((2, 2), np.float32))
    assert same(params["new"], np.ones((3, 2), np.float32))
    assert same(rows, [np.full(2, 5.0), "x"])
    assert same(keep, np.arange(4))


WRONG = """
def loss(W, X, y, reg):
    S = X @ W
    S -= S.max(axis=1, keepdims=True)
    P = np.exp(S)
    P /= P.sum(axis=1, keepdims=True)
    value = -np.log(P[np.arange(len(X)), y]).mean() + 0.5 * reg * np.sum(W * W)
    P[np.arange(len(X)), y] -= 1
    return value, X.T @ P + reg * W
"""
IN_PLACE = WRONG.replace("S = X @ W", "X -= X.mean(axis=0)\n    S = X @ W")
RIGHT = WRONG.replace("X.T @ P", "X.T @ P / len(X)")


@pytest.mark.parametrize(
    ("source", "code"),
    [(WRONG, "scale_N"), (IN_PLACE, "mutates_input"), (RIGHT, None)],
    ids=["wrong", "in place", "right"],
)
def test_the_gradient_checker_sees_no_difference(source, code):
    W, X, y = data(3)
    here = check_gradient(local(source, "loss"), W, X, y, 0.1)
    with box(source, limits=Limits()) as inside:
        loss = inside.function("loss")
        there = check_gradient(lambda W, X, y, reg: loss(W, X, y, reg), W, X, y, 0.1)
    assert str(there) == str(here)
    assert bool(there) == (code is None)
    assert code is None or code in [f.code for f in there.findings]


# ---- hostile submissions ----


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory):
    """Return a file that stands for the gradebook."""
    path = tmp_path_factory.mktemp("secret") / "gradebook.db"
    path.write_text("grades", "utf-8")
    return path


@pytest.fixture(scope="module")
def port():
    """Return a port of this machine that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("case", hostile.CELLS, ids=lambda case: case.name.replace(" ", "_"))
def test_hostile(case, gradebook, port):
    W, X, y = data(7)
    expected = local(hostile.HONEST, "hinge_arrays")(W, X, y)
    source = case.source.replace("GRADEBOOK", str(gradebook)).replace("PORT", str(port))
    sentence = reason = ""
    limits = replace(SMALL, call=0.4) if "time" in case.reasons else SMALL
    inside = box(source, limits=limits)
    try:
        with inside:
            function = inside.function("hinge_arrays")
            results = [function(W.copy(), X.copy(), y.copy()) for _ in range(2)]
        outcome = "right" if all(same(result, expected) for result in results) else "wrong"
    except StudentError as error:
        outcome, sentence = "error", str(error)
    except Stopped as stopped:
        outcome, sentence, reason = "stopped", str(stopped), stopped.reason
    assert outcome in case.outcome.split("|"), (outcome, sentence, inside.errors, inside.output)
    assert case.word in sentence or outcome in ("right", "wrong"), sentence
    assert not reason or reason in case.reasons, (reason, sentence)
    assert len(sentence) < 600
    assert sentence.isprintable()
    assert gradebook.read_text("utf-8") == "grades"


def processes(word):
    """Return the processes that have a word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if word.encode() in (path / "cmdline").read_bytes():
                found.append(path.name)
    return found


def all_end(word):
    """Wait until these processes have ended, which may take the system a moment."""
    end = time.monotonic() + 60
    while processes(word):
        assert time.monotonic() < end, processes(word)
        time.sleep(0.01)


@pytest.mark.parametrize(
    "name", ["a process that stays", "forks without end and catches errors", "threads that go on"]
)
def test_nothing_is_left_behind(name, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # which the command lines show
    (case,) = (case for case in hostile.CELLS if case.name == name)
    with box(case.source, limits=replace(SMALL, call=0.4)) as inside:
        assert len(processes(str(tmp_path))) >= 2  # bubblewrap, and the worker that waits for us
        with suppress(Stopped):
            inside.function("hinge_arrays")(*data())
    assert list(tmp_path.iterdir()) == []
    all_end(str(tmp_path))


def test_it_ends_with_the_grader(tmp_path):
    program = f"""
from pathlib import Path
from classroom.sandbox import Cell, Sandbox
source = "import time\\ndef f():\\n    time.sleep(600)"
with Sandbox(Path({str(PACKAGE)!r}), [Cell("a", source)]) as sandbox:
    f = sandbox.function("f")
    print("ready", flush=True)
    f()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as grader:
        assert grader.stdout.readline() == b"ready\n"
        assert len(processes(str(tmp_path))) >= 2
        grader.kill()
    all_end(str(tmp_path))


# ---- what it can see, and how it is limited ----

LOOK = """
import os, socket
def see(path):
    return sorted(os.listdir(path))
def everything():
    found = []
    for folder, folders, files in os.walk("/"):
        found += [os.path.join(folder, name) for name in files]
    return len(found), [f for f in found if f.endswith((".ipynb", ".db")) or "hidden" in f]
def write(path):
    with open(path, "w") as file: file.write("x")
def environment():
    return dict(os.environ), os.getuid(), os.getcwd()
def module(name):
    return __import__(name).__file__
def families():
    return [name for _, name in socket.if_nameindex()]
"""


def test_it_sees_python_the_package_and_an_empty_folder(gradebook, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    root = str(launch.HERE.parent.parent)
    with box(LOOK, limits=Limits()) as inside:
        see, write = inside.function("see"), inside.function("write")
        environment, uid, folder = inside.function("environment")()
        assert uid != 0
        assert "SECRET" not in environment
        assert str(Path.home()) not in environment.values()
        assert [name for name in see(folder) if not name.startswith("fontlist")] == []
        write(f"{folder}/notes.txt")
        for path in (gradebook.parent, "/proc", "/sys", "/home", f"{root}/tests", f"{root}/.git"):
            with pytest.raises(StudentError, match="No such file"):
                see(str(path))
        site = str(Path(np.__file__).parent)
        package = "/sandbox/package/cs231n_helpers"
        for path in ("/", "/sandbox", "/sandbox/package", package, "/usr", site, "/dev"):
            with pytest.raises(StudentError, match=r"Read-only|Permission denied"):
                write(f"{path}/new")
        with pytest.raises(StudentError, match=r"Read-only|Permission denied"):
            write(np.__file__)
        assert inside.function("module")("cs231n_helpers") == f"{package}/__init__.py"
        with pytest.raises(StudentError, match="ModuleNotFoundError"):
            inside.function("module")("classroom.sandbox.launch")
        assert inside.function("families")() in ([], ["lo"])
        assert inside.containment == sandbox.CONTAINED + "."


CHECK = """
from pathlib import Path
from cs231n_helpers import check_exercise, check_gradient, check_layer
from cs231n_helpers.doctor import WrongGradientError
from cs231n_helpers.doctor.report import GradientReport
from cs231n_helpers.exercises import EXERCISES, use_reference
def f(W, X, y): return 0.0, W
report = check_gradient(f, None, None, None)
check_exercise("svm_dx", f)
try:
    assert report and report.worst < 1e-7 and report.findings[0].error == 0
    assert not list(check_layer(f, f).steps) and len(report.findings) == 0
    print(f"{report.verdict:>10} {float(report.error):.1e}", report, check_layer)
except WrongGradientError:
    raise
def titles(): return [it.function for it in EXERCISES.values()]
def sources():
    here = Path("/sandbox/package")
    files = [it for it in here.rglob("*.*") if it.is_file()]
    return {str(it.relative_to(here)): it.read_bytes()[:999].decode("latin1") for it in files}
"""


def test_checks_do_nothing_inside_and_what_they_know_is_not_there():
    with box(CHECK, limits=Limits()) as inside:
        assert inside.errors == {}
        assert inside.function("titles")()[0] == "hinge_loops"
        sources = inside.function("sources")()
    nothing = (launch.HERE / "unchecked.py").read_text("utf-8")[:999]
    rooms = {k: v for k, v in sources.items() if "/doctor/" in k or "/exercises/" in k}
    known = [k for k, v in rooms.items() if v != nothing]
    assert len(rooms) > 30
    assert sorted(Path(k).name for k in known) == [
        "__init__.py", "reference.py", "stuck.py", "table.py",
    ]  # fmt: skip
    assert not [k for k in sources if k.endswith(".pyc")]
    for module in ("small_problem", "backward", "mistakes"):
        assert "class Nothing" in sources[f"cs231n_helpers/doctor/{module}.py"]


SHARED = """
import os
from pathlib import Path
from cs231n_helpers import rel_error
PACKAGE = Path("/sandbox/package")
def attempt():
    worked = []
    for path in [PACKAGE, *PACKAGE.rglob("*")]:
        for act in (
            os.remove, os.rmdir, lambda it: os.chmod(it, 0o777), lambda it: open(it, "a"),
            lambda it: open(it / "new.py", "w"),
        ):
            try:
                act(path)
                worked.append(str(path))
            except OSError:
                pass
    return worked
def private():
    rel_error.__code__ = (lambda a, b: 0).__code__
    return rel_error(1, 2)
"""


def test_one_copy_serves_many_and_nobody_inside_changes_it(tmp_path):
    copies = tmp_path / "copies"
    copy_package(PACKAGE, copies, compiled=True)
    before = {path: path.read_bytes() for path in copies.rglob("*.*") if path.is_file()}

    def shared(*sources):
        cells = [Cell(str(i), source) for i, source in enumerate(sources)]
        return Sandbox(PACKAGE, cells, Limits(), copies=copies)

    with shared(SHARED) as first, shared("def distance(): return rel_error(1, 2)") as second:
        assert first.errors == {}
        assert first.function("attempt")() == []
        assert first.function("private")() == 0
        assert second.function("distance")() > 0.3
    assert {path: path.read_bytes() for path in copies.rglob("*.*") if path.is_file()} == before
    assert stat.S_IMODE((copies / "cs231n_helpers" / "losses.py").stat().st_mode) == 0o755


def test_what_is_compiled_tells_no_more_than_the_copies(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "elsewhere"))
    copy_package(PACKAGE, tmp_path, compiled=True)
    sources = [*tmp_path.rglob("*.py")]
    assert len(sources) > 60
    for source in sources:
        name = f"{launch.PACKAGE}/{source.relative_to(tmp_path)}"
        code = compile(source.read_bytes(), name, "exec", dont_inherit=True)
        cache = f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        compiled = (source.parent / "__pycache__" / cache).read_bytes()
        assert marshal.loads(compiled[16:]) == code
        assert str(tmp_path).encode() not in compiled


def test_who_is_not_contained_gets_a_copy_of_its_own(tmp_path):
    copy_package(PACKAGE, tmp_path / "copies", compiled=True)
    source = "import cs231n_helpers\ndef where(): return cs231n_helpers.__file__"
    try:
        with Sandbox(
            PACKAGE, [Cell("a", source)], Limits(), contained=False, copies=tmp_path / "copies"
        ) as inside:
            assert not inside.function("where")().startswith(str(tmp_path))
    except UnavailableError as error:
        if os.getuid() == 0:
            pytest.skip(str(error))
        raise


def test_it_makes_no_namespaces_of_its_own_unless_root_grades():
    source = """
import ctypes
def unshare():
    return ctypes.CDLL(None).unshare(0x10000000)  # CLONE_NEWUSER
"""
    with box(source) as inside:
        assert os.getuid() == 0 or inside.function("unshare")() == -1


def test_without_bubblewrap_there_are_limits_only():
    inside = box(hostile.HONEST, "import os\nos._exit(3)", contained=False)
    try:
        with pytest.raises(Stopped, match="in a cell: it ended its process, with status 3"):
            inside.__enter__()
    except UnavailableError as error:
        if os.getuid() == 0:
            pytest.skip(str(error))
        raise
    with box(hostile.HONEST, contained=False) as inside:
        W, X, y = data()
        expected = local(hostile.HONEST, "hinge_arrays")(W, X, y)
        assert same(inside.function("hinge_arrays")(W, X, y), expected)
        assert inside.containment.startswith("Not contained")


def test_where_there_is_no_bubblewrap_nothing_is_run(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match=r"^bubblewrap \(bwrap\) is not installed$"):
        box().__enter__()


def test_what_bubblewrap_says_is_told(tmp_path, monkeypatch):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bwrap: no permission >&2\nexit 1\n", "utf-8")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="cannot be run here: bwrap: no permission"):
        box().__enter__()


def test_a_package_that_others_change_stays_as_it_was(tmp_path):
    package = tmp_path / "cs231n_helpers"
    package.mkdir(mode=0o700)
    (package / "__init__.py").write_text("from .own import five\n__all__ = ['five']\n", "utf-8")
    (package / "own.py").write_text("def five(): return 5\n", "utf-8")
    for path in package.iterdir():
        path.chmod(0o600)
    with Sandbox(package, [Cell("a", "x = five()"), Cell("b", "def f(): return x")]) as inside:
        (package / "own.py").unlink()
        assert inside.errors == {}
        assert inside.function("f")() == 5


def test_a_cell_that_stops_it_is_named_and_nothing_hangs():
    with pytest.raises(Stopped, match=r"^Stopped in a cell: it ended its process") as info:
        box("x = 1", "import os; os._exit(0)", "y = 1").__enter__()
    assert info.value.cell == "1"


def test_what_is_stopped_stays_stopped():
    source = "def f():\n    while True: pass\ndef g(): return 1"
    with box(source, limits=replace(SMALL, call=0.2)) as inside:
        for function in (inside.function("f"), inside.function("g")):
            with pytest.raises(Stopped, match=r"in f: it took longer than 0\.2 s"):
                function()


def test_processor_time_and_the_clock_run_out():
    loop = "def f():\n    while True: pass"
    with box(loop, limits=replace(SMALL, cpu=1, call=20)) as inside:
        with pytest.raises(Stopped, match="more than 1 s of processor time") as info:
            inside.function("f")()
        assert info.value.reason == "time"
    with box("def f(): pass", limits=replace(SMALL, wall=0.3)) as inside:
        f, calls = inside.function("f"), iter(int, 1)
        with pytest.raises(Stopped, match=r"everything together took longer than 0\.3 s"):
            all(f() is None for _ in calls)


def test_output_is_kept_up_to_a_point_and_plain():
    many = "import sys\nprint('\u00e9' * 30_000, file=sys.stderr)"
    with box("print('a\\x1b[1m\\tb\\x00')", many) as inside:
        assert inside.output.startswith("a\ufffd[1m\tb\ufffd\n\u00e9\u00e9")
        assert len(inside.output.encode()) < 21_000
