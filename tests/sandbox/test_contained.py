"""Submissions run contained: honest ones as if they were local, hostile ones without effect."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import hostile
import numpy as np
import pytest

import cs231n_helpers
from classroom.sandbox import (
    Cell,
    Contained,
    Limits,
    NotDefinedError,
    Seed,
    Stopped,
    StudentError,
    UnavailableError,
    contained,
)
from classroom.sandbox.contained import best_level
from classroom.sandbox.protocol import MalformedError, Reader, UnsendableError, frame, parse
from cs231n_helpers import check_gradient

PACKAGE = Path(cs231n_helpers.__file__).parent
SMALL = Limits(cpu=10, call=10, wall=30, memory=700 << 20, files=4 << 20, output=100_000)
NAMESPACES = pytest.mark.skipif(
    best_level() == "limits", reason="neither bubblewrap nor namespaces on this system"
)


def box(*sources, limits=SMALL, level=None):
    """Contain cells whose ids are their numbers."""
    cells = [Cell(str(i), source) for i, source in enumerate(sources)]
    return Contained(PACKAGE, cells, limits, level=level)


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


@pytest.fixture(scope="module")
def echo():
    """Return a function that sends back what it was given."""
    with box("def echo(x): return x") as inside:
        yield inside.function("echo")


def same(a, b):
    """Say whether values are of one type and equal to the last bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return repr(a) == repr(b)


@pytest.mark.parametrize(
    "dtype",
    [*(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)), "float16", "float32", "float64"],
)
def test_arrays_pass_bit_by_bit(echo, dtype):
    rng = np.random.default_rng(1)
    size = np.dtype(dtype).itemsize
    array = np.frombuffer(rng.bytes(60 * size), dtype).reshape(3, 4, 5)  # NaNs of all kinds too
    for value in (array, array[:, ::2].T, array[0, 0, 0], array[:0], np.asfortranarray(array[0])):
        assert same(echo(value), value if isinstance(value, np.generic) else value.copy("C"))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**70), 0.1, -0.0, float("nan"), float("-inf"), "", "\u00ef\U0001f600\n\0",
        [], (), {}, np.bool_(True), np.array([True, False]), np.array(3.0), np.float32(0.1),
        {(1e-3, 10): 0.5, "a": [1, (2, {"b": None})], None: np.arange(3)}, [[[[[[1]]]]]],
    ],
)  # fmt: skip
def test_plain_values_pass_as_they_are(echo, value):
    assert same(echo(value), value)


def test_large_arrays_pass(echo):
    array = np.random.default_rng(2).normal(size=(1000, 1000))
    assert same(echo(array), array)


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
    with box(
        "%matplotlib inline\n!ls\nif True:\n    %time\nx = 7\n% 3\ndef f(): return x"
    ) as inside:
        assert inside.errors == {}
        assert inside.function("f")() == 7
    with box("x = (7\n% 3)\ndef f(): return x") as inside:
        assert inside.function("f")() == 1


def test_cells_share_names_and_errors_stay_in_their_cell():
    sources = [
        "a = 1",
        "b = a + 1\n\nc = b / 0",
        "def f(:",
        "def f():\n    return a, b",
        "import gone",
    ]
    with box(*sources) as inside:
        assert inside.function("f")() == (1, 2)
        assert inside.errors == {
            "1": "ZeroDivisionError: division by zero (line 3 of the cell)",
            "2": "SyntaxError: invalid syntax (line 1 of the cell)",
            "4": "ModuleNotFoundError: No module named 'gone' (line 1 of the cell)",
        }


def test_an_error_says_where():
    with box("x = 1", "def f(x):\n    y = 2\n    return np.ones(3) @ np.ones((x, 2))") as inside:
        with pytest.raises(
            StudentError, match=r"^ValueError: matmul.*\(line 3 of the cell\)$"
        ) as info:
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


def test_arguments_that_cannot_be_sent_are_our_error(echo):
    with pytest.raises(TypeError, match="echo is contained and was given RandomState"):
        echo(np.random.RandomState(0))


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
        there = check_gradient(inside.function("loss"), W, X, y, 0.1)
    assert str(there) == str(here)
    assert bool(there) == (code is None)
    assert code is None or code in [f.code for f in there.findings]


# ---- hostile submissions ----


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """Return a file that stands for the gradebook."""
    path = tmp_path_factory.mktemp("secret") / "gradebook.db"
    path.write_text("grades")
    return path


@pytest.fixture(scope="module")
def port():
    """Return a port of this machine that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("case", hostile.CELLS, ids=lambda case: case.name.replace(" ", "_"))
def test_hostile(case, canary, port):
    if case.namespaces and best_level() == "limits":
        pytest.skip("would harm this user where there are neither bubblewrap nor namespaces")
    W, X, y = data(7)
    expected = local(hostile.HONEST, "hinge_arrays")(W, X, y)
    source = case.source.replace("CANARY", str(canary)).replace("PORT", str(port))
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
    assert canary.read_text() == "grades"
    assert inside._jail.returncode is not None


def processes(word, uid):
    """Return the processes of a user, and those with a word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if path.stat().st_uid == uid or word in (path / "cmdline").read_text():
                found.append(path.name)
    return found


PROC = pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc to look at")


@PROC
@pytest.mark.parametrize(
    "name", ["a process that stays", "patient fork bomb", "threads that go on"]
)
def test_nothing_is_left_behind(name, tmp_path, monkeypatch):
    here = tmp_path / "classroom"  # so that command lines tell these processes from others
    shutil.copytree(contained.HERE, here)
    monkeypatch.setattr(contained, "HERE", here)
    monkeypatch.setattr(contained, "USERS", [61183])  # of those who run as root
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    skip_without(best_level())  # as root at level limits: this folder is root's alone
    (case,) = (case for case in hostile.CELLS if case.name == name)
    with box(case.source, limits=replace(SMALL, call=0.4)) as inside:
        with suppress(Stopped):
            inside.function("hinge_arrays")(*data())
        assert processes(str(here), 61183) != []
    assert list(folder.iterdir()) == []
    deadline = time.monotonic() + 10  # the system may take a moment to bury them
    while (alive := processes(str(here), 61183)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert alive == []


@PROC
def test_it_ends_with_the_grader(tmp_path):
    here = tmp_path / "classroom"
    shutil.copytree(contained.HERE, here)
    program = f"""
import sys, time
from pathlib import Path
from classroom.sandbox import contained
contained.HERE, contained.USERS = Path({str(here)!r}), [61182]
source = "import os, time\\ndef f():\\n    os.fork()\\n    time.sleep(60)"
with contained.Contained(Path({str(PACKAGE)!r}), [contained.Cell("a", source)]) as box:
    f = box.function("f")
    print("ready", flush=True)
    f()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as grader:
        assert grader.stdout.readline() == b"ready\n"
        assert len(processes(str(here), 61182)) >= 3
        grader.kill()
    deadline = time.monotonic() + 10
    while (alive := processes(str(here), 61182)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert alive == []


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


@NAMESPACES
def test_it_sees_python_the_package_and_an_empty_folder(canary, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    root = str(contained.HERE.parent.parent)
    with box(LOOK, limits=Limits()) as inside:
        see, write = inside.function("see"), inside.function("write")
        environment, uid, folder = inside.function("environment")()
        assert uid != 0
        assert "SECRET" not in environment
        assert str(Path.home()) not in environment.values()
        assert [name for name in see(folder) if not name.startswith("fontlist")] == []
        write(f"{folder}/notes.txt")
        for path in (canary.parent, "/proc", "/sys", "/home", f"{root}/tests", f"{root}/.git"):
            with pytest.raises(StudentError, match="No such file"):
                see(str(path))
        site = str(Path(np.__file__).parent)
        for path in (
            "/",
            "/box/package",
            "/box/package/cs231n_helpers",
            "/box/classroom",
            "/usr",
            site,
            "/dev",
        ):
            with pytest.raises(StudentError, match=r"Read-only|Permission denied"):
                write(f"{path}/new")
        with pytest.raises(StudentError, match=r"Read-only|Permission denied"):
            write(np.__file__)
        assert (
            inside.function("module")("cs231n_helpers") == "/box/package/cs231n_helpers/__init__.py"
        )
        with pytest.raises(StudentError, match="ModuleNotFoundError"):
            inside.function("module")("classroom.sandbox.contained")
        assert inside.function("families")() in ([], ["lo"])
        assert "no network" in inside.level


def skip_without(level):
    """Skip a test where nothing can be started in this way."""
    try:
        with box(level=level):
            pass
    except UnavailableError as error:
        pytest.skip(str(error))


@NAMESPACES
@pytest.mark.parametrize("level", ["bubblewrap", "namespaces"])
def test_either_kind_of_namespaces(level, canary):
    skip_without(level)
    with box(LOOK, hostile.HONEST, level=level) as inside:
        W, X, y = data()
        expected = local(hostile.HONEST, "hinge_arrays")(W, X, y)
        assert same(inside.function("hinge_arrays")(W, X, y), expected)
        with pytest.raises(StudentError, match="No such file"):
            inside.function("see")(str(canary.parent))
        with pytest.raises(StudentError, match=r"Read-only|Permission denied"):
            inside.function("write")("/box/package/new")


def test_limits_only_says_so():
    skip_without("limits")
    with box(hostile.HONEST, level="limits") as inside:
        W, X, y = data()
        expected = local(hostile.HONEST, "hinge_arrays")(W, X, y)
        assert same(inside.function("hinge_arrays")(W, X, y), expected)
        assert inside.level.startswith("Not contained")


def test_a_package_that_others_change_stays_as_it_was(tmp_path):
    package = tmp_path / "cs231n_helpers"
    package.mkdir(mode=0o700)
    (package / "__init__.py").write_text("from .own import five\n__all__ = ['five']\n")
    (package / "own.py").write_text("def five(): return 5\n")
    for path in package.iterdir():
        path.chmod(0o600)
    with Contained(package, [Cell("a", "x = five()"), Cell("b", "def f(): return x")]) as inside:
        (package / "own.py").unlink()
        assert inside.errors == {}
        assert inside.function("f")() == 5


def test_a_cell_that_stops_it_is_named_and_nothing_hangs():
    with pytest.raises(Stopped, match=r"^Stopped in a cell: it ended its process") as info:
        box("x = 1", "import os; os._exit(0)", "y = 1").__enter__()
    assert info.value.cell == "1"


def test_what_is_stopped_stays_stopped():
    with box(
        "def f():\n    while True: pass\ndef g(): return 1", limits=replace(SMALL, call=0.2)
    ) as b:
        g = b.function("g")
        with pytest.raises(Stopped, match=r"in f: it took longer than 0\.2 s"):
            b.function("f")()
        with pytest.raises(Stopped, match=r"in f: it took longer than 0\.2 s"):
            g()


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
    with box(
        "print('a\\x1b[1m\\tb\\x00')", "import sys\nprint('\u00e9' * 30_000, file=sys.stderr)"
    ) as b:
        assert b.output.startswith(
            "a\N{REPLACEMENT CHARACTER}[1m\tb\N{REPLACEMENT CHARACTER}\n\u00e9\u00e9"
        )
        assert len(b.output.encode()) < 21_000


# ---- frames ----


@pytest.mark.parametrize(
    "form",
    [
        {}, {"a": 1}, {"a": ["float64"]}, {"a": ["float64", [-1]]}, {"a": ["float64", [2**70]]},
        {"a": ["float64", [2]]}, {"a": ["object", [0]]}, {"a": ["V8", [1]]}, {"n": "float128"},
        {"a": ["float64", [True]]}, {"a": [["float64"], [1]]},
        {"t": 1}, {"d": [[1]]}, {"d": [[[1], 2]]}, {"d": {"a": 1}}, {"r": 0}, {"f": 0}, {"x": 0},
        {"t": [], "d": []}, [[]] * 100_001, {"d": [[i, i] for i in range(5001)]},
    ],
    ids=lambda form: str(form)[:30],
)  # fmt: skip
def test_forms_that_are_none(form):
    with pytest.raises((MalformedError, ValueError)):
        Reader(bytes(8)).value(form)


def test_nested_forms_have_an_end():
    form = []
    for _ in range(100):
        form = [form]
    with pytest.raises(MalformedError, match="nested too deeply"):
        Reader(b"").value(form)
    with pytest.raises(MalformedError, match="no JSON"):
        parse(b"[" * 1_000_000)
    with pytest.raises(MalformedError, match="no JSON"):
        parse(b'{"id": ' + b"9" * 10_000 + b"}")
    with pytest.raises(UnsendableError, match="bytes of text"):
        frame({"x": "y" * (5 << 20)}, [])
