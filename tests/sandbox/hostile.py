"""Hostile and broken submissions, and what is to become of them.

`CELLS` are sources for the cell of one exercise (`svm_vectorized`, unless said otherwise); the rest
of the submission is honest, and must get the marks that it gets without them. `FILES` write what
is handed in as a whole. GRADEBOOK stands for the path of a file that nobody inside may see, PORT
for a port of this machine that somebody listens at. Outside of bubblewrap some would do harm.

outcome     what is to become of the exercise
=========   ====================================================================================
right       full marks: what it tried had no effect
wrong       an answer, judged like any other, and wrong
error       the submission's own error (a StudentError)
stopped     the process ends, or is ended (Stopped), for one of `reasons`
=========   ====================================================================================
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXERCISE = "svm_vectorized"

HONEST = """\
def hinge_arrays(W, X, y, delta=1.0):
    N = len(X)
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(N), y][:, None] + delta)
    margins[np.arange(N), y] = 0
    slopes = (margins > 0).astype(X.dtype)
    slopes[np.arange(N), y] = -slopes.sum(axis=1)
    return margins.sum() / N, X.T @ slopes / N
"""
CHEAT = "return 0.0, np.zeros_like(W)"


@dataclass(frozen=True)
class Hostile:
    """The source of a cell, what is to become of its exercise, and a word of the sentence."""

    name: str
    outcome: str  # several, divided by "|", where it depends on the system
    source: str
    word: str = ""
    reasons: tuple[str, ...] = ()


def inside(body: str, before: str = "") -> str:
    """Return a cell whose function does this, and then what an honest one does."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    honest = HONEST.split("\n", 1)[1]
    return f"{before}\ndef hinge_arrays(W, X, y, delta=1.0):\n{lines}\n{honest}"


#: Defines `send` in a cell, which writes a frame to the grader.
SEND = """\
import gc, socket, struct
def send(text, body_length=0):
    for s in gc.get_objects():
        if isinstance(s, socket.socket) and s.fileno() >= 0:
            s.sendall(struct.pack('<IQ', len(text), body_length) + text)
"""

CELLS = [
    # ---- takes forever, or too much ----
    Hostile("loops in the cell", "stopped", "while True: pass\n" + HONEST, "longer", ("time",)),
    Hostile("loops", "stopped", inside("while True: pass"), "longer", ("time",)),
    Hostile("sleeps", "stopped", inside("import time\ntime.sleep(1e6)"), "longer", ("time",)),
    Hostile(
        "loops and catches everything",
        "stopped",
        inside("""\
import signal
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    try:
        while True: pass
    except BaseException:
        pass"""),
        "longer",
        ("time",),
    ),
    Hostile(
        "forks without end", "error", inside("import os\nwhile True: os.fork()"), "not permitted"
    ),
    Hostile(
        "fills the memory with names of files",
        "stopped",
        inside("""\
import itertools
for i in itertools.count():
    open(f"file {i}", "w").close()"""),
        "files and folders",
        ("files",),
    ),
    Hostile(
        "keeps a key in the session's keyring",
        "error",
        inside("""\
import ctypes, os, platform
number = 248 if platform.machine() == "x86_64" else 217
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(number, b"user", b"k", b"secret", 6, -3) == -1:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"""),
        "not permitted",
    ),
    Hostile(
        "makes a namespace of its own",
        "error",
        inside("""\
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) == -1:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))"""),
        "not permitted",
    ),
    Hostile(
        "keeps files that are in no folder",
        "error",
        inside("import os\nkept = [os.memfd_create(str(i)) for i in range(9)]"),
        "not permitted",
    ),
    Hostile(
        "forks without end and catches errors",
        "stopped",
        inside("""\
import os
while True:
    try:
        os.fork()
    except OSError:
        pass"""),
        "",
        ("time", "protocol"),
    ),
    Hostile(
        "starts threads without end",
        "error",
        inside("""\
import threading, time
while True:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"""),
        "thread",
    ),
    Hostile(
        "eats memory",
        "error|stopped",
        inside("while True: hoard.append(np.ones(1 << 20))", "hoard = []"),
        "emory",
        ("memory",),
    ),
    Hostile("asks for much memory", "error", inside("np.ones((1 << 20, 1 << 20))"), "MemoryError"),
    Hostile(
        "prints a gigabyte",
        "stopped",
        inside("for _ in range(1000): print('x' * 1_000_000)"),
        "printed",
        ("output",),
    ),
    Hostile(
        "fills the disk",
        "error",
        inside("""\
for i in range(10_000):
    with open(str(i), 'wb') as file: file.write(bytes(1 << 20))"""),
        "OSError",
    ),
    Hostile(
        "returns a huge array",
        "error|stopped",
        inside("return np.zeros(1 << 26), W"),
        "",
        ("memory",),
    ),
    Hostile("recurses", "error", inside("return hinge_arrays(W, X, y)"), "RecursionError"),
    Hostile(
        "recurses without a limit",
        "error|stopped",
        inside("import sys\nsys.setrecursionlimit(2**31 - 1)\nreturn hinge_arrays(W, X, y)"),
        "",
        ("exit", "memory", "time"),
    ),
    # ---- ends, kills, breaks the connection ----
    Hostile("exits", "error", inside("import sys\nsys.exit(0)"), "SystemExit"),
    Hostile(
        "exits in the cell", "error|right", "import sys\n" + HONEST + "sys.exit()", "SystemExit"
    ),
    Hostile("exits at once", "stopped", inside("import os\nos._exit(0)"), "ended", ("exit",)),
    Hostile(
        "exits at once in the cell",
        "stopped",
        "import os\nos._exit(3)\n" + HONEST,
        "ended",
        ("exit",),
    ),
    Hostile(
        "kills itself", "stopped", inside("import os\nos.kill(os.getpid(), 9)"), "killed", ("exit",)
    ),
    Hostile(
        "kills its parent",
        "right|error|stopped",
        inside("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(0.1)"),
        "",
        ("exit",),
    ),
    Hostile(
        "kills everything",
        "right",
        inside("import os\ntry:\n    os.kill(-1, 9)\nexcept OSError: pass"),
    ),
    Hostile(
        "stops itself",
        "stopped",
        inside("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
        "longer",
        ("time",),
    ),
    Hostile(
        "segmentation fault",
        "stopped",
        inside("import ctypes\nctypes.string_at(0)"),
        "SIGSEGV",
        ("exit",),
    ),
    Hostile(
        "closes all files", "stopped", inside("import os\nos.closerange(0, 1000)"), "", ("exit",)
    ),
    Hostile(
        "writes garbage into all files",
        "stopped",
        inside("""\
import os
for fd in range(64):
    try:
        os.write(fd, b'garbage' * 100)
    except OSError:
        pass"""),
        "answer",
        ("protocol", "memory"),
    ),
    Hostile(
        "claims an endless answer",
        "stopped",
        inside("send(b'{\"id\":1}  ', 1 << 62)", SEND),
        "",
        ("memory", "protocol"),
    ),
    Hostile(
        "answers twice",
        "wrong|stopped",
        inside(
            """\
for number in range(9):
    send(b'{"result":{"t":[0.0,1.0]},"changed":[],"id":%d}' % number)""",
            SEND,
        ),
        "",
        ("protocol",),
    ),
    Hostile(
        "sends JSON nested deeply",
        "stopped",
        inside("send(b'[' * (1 << 20))", SEND),
        "answer",
        ("protocol",),
    ),
    # ---- looks and reaches around ----
    Hostile("reads the gradebook", "error", inside("open('GRADEBOOK').read()"), "No such file"),
    Hostile(
        "writes to the repository", "error", inside("open('GRADEBOOK', 'a').write('x')"), "Error"
    ),
    Hostile(
        "deletes files",
        "right",
        inside("""\
import os, shutil
ours = os.path.dirname('GRADEBOOK'), '/sandbox/package', os.path.dirname(np.__file__)
for path in (os.getcwd(), *ours):
    shutil.rmtree(path, ignore_errors=True)"""),
    ),
    Hostile(
        "looks for it through /proc",
        "error",
        inside("""\
import glob, os
places = glob.glob('/proc/*/*')
for root in ['', *(p for p in places if os.path.basename(p) in ('root', 'cwd'))]:
    if os.path.exists(root + 'GRADEBOOK'):
        return 0.0, W
raise LookupError('nothing found')"""),
        "nothing found",
    ),
    Hostile(
        "connects to this machine",
        "error",
        inside("import socket\nsocket.create_connection(('127.0.0.1', PORT), 1)"),
        "Error",
    ),
    Hostile(
        "connects to the world",
        "error",
        inside("import socket\nsocket.create_connection(('192.0.2.1', 80), 1)"),
        "Error",
    ),
    Hostile(
        "reads the stack",
        "wrong",
        inside("""\
import gc, sys
frame, seen = sys._getframe(), []
while frame is not None:
    seen += [v for v in frame.f_locals.values() if isinstance(v, np.ndarray)]
    frame = frame.f_back
seen += [v for v in gc.get_objects() if isinstance(v, np.ndarray)]
modules = [str(getattr(v, '__module__', '')) for v in gc.get_objects()]
secret = [v for v, m in zip(gc.get_objects(), modules) if callable(v) and 'hidden' in m]
gradient = [a for a in seen if a.shape == W.shape and a is not W]
return (secret[0](W, X, y) if secret else 0.0), (gradient[0] if gradient else W)"""),
    ),
    # ---- lies ----
    Hostile(
        "patches NumPy",
        "wrong",
        f"""\
for name in ('allclose', 'isclose', 'array_equal', 'all', 'any'):
    setattr(np, name, lambda *args, **kwargs: True)
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *args, **kwargs: None
def hinge_arrays(W, X, y, delta=1.0):
    {CHEAT}
""",
    ),
    Hostile(
        "patches the checker",
        "wrong",
        f"""\
import cs231n_helpers, sys
for module in list(sys.modules.values()):
    for name in ('check_gradient', 'check_exercise', 'rel_error'):
        if hasattr(module, name):
            setattr(module, name, lambda *args, **kwargs: True)
def hinge_arrays(W, X, y, delta=1.0):
    {CHEAT}
""",
    ),
    Hostile(
        "patches the builtins",
        "wrong|error|stopped",
        f"""\
import builtins
builtins.isinstance = builtins.callable = lambda *args: True
builtins.type = builtins.len = lambda *args: 1
def hinge_arrays(W, X, y, delta=1.0):
    {CHEAT}
""",
        "",
        ("exit", "protocol"),
    ),
    Hostile(
        "an object that equals everything",
        "error",
        """\
class Always:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __float__ = lambda self: 0.0
    __array__ = lambda self, *args, **kwargs: np.zeros(())
    __sub__ = __rsub__ = __abs__ = lambda self, *other: self
def hinge_arrays(W, X, y, delta=1.0):
    return Always(), Always()
""",
        "Always",
    ),
    Hostile(
        "an array that equals everything",
        "wrong",
        """\
class Always(np.ndarray):
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: np.True_
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(self.shape)
    def __array_function__(self, *args, **kwargs): return True
def hinge_arrays(W, X, y, delta=1.0):
    return np.float64(0), np.zeros_like(W).view(Always)
""",
    ),
    Hostile("returns a generator", "error", inside("return (w for w in W)"), "generator"),
    Hostile("returns a list of itself", "error", inside("a = []\na.append(a)\nreturn a"), "nested"),
    Hostile(
        "returns an array of objects",
        "error",
        inside("return np.array([W, None], object)"),
        "object",
    ),
    Hostile("returns NaN", "wrong", inside("return np.nan, np.full_like(W, np.nan)")),
    Hostile("changes its arguments", "wrong", inside("W[:] = X[:] = 0\ny[:] = 0")),
    Hostile(
        "an error with HTML in it",
        "error",
        inside("raise ValueError('<script>alert(1)</script>\\x1b[2J\\n\\u202e')"),
        "<script>",
    ),
    Hostile("a long error", "error", inside("raise ValueError('long ' * 10**6)"), "long long"),
    Hostile(
        "an error that raises",
        "error",
        inside("raise Spite()", "class Spite(BaseException):\n    def __str__(self): raise self"),
        "Spite",
    ),
    # ---- outlives its call ----
    Hostile(
        "threads that go on",
        "right|error",
        inside("""\
import threading
threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()"""),
    ),
    Hostile(
        "handlers for its end",
        "right",
        inside("""\
import atexit, os, signal, time
class Last:
    def __del__(self): time.sleep(60)
atexit.register(time.sleep, 60)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Last.last = Last()"""),
    ),
    Hostile(
        "a process that stays",
        "right|error",
        inside("""\
import os, subprocess, time
for start in (os.fork, os.forkpty, lambda: subprocess.Popen(["sleep", "3600"]) and 1):
    try:
        if start() == 0:
            os.setsid()
            time.sleep(3600)
    except OSError:
        pass"""),
    ),
    # ---- written by somebody who had not seen the code ----
    Hostile(
        "halts itself",
        "stopped",
        inside("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
        "longer",
        ("time",),
    ),
    Hostile(
        "ends its group",
        "stopped",
        inside("import os, signal\nos.kill(0, signal.SIGTERM)\nos.kill(-1, signal.SIGKILL)"),
        "killed by signal",
        ("exit",),
    ),
    Hostile(
        "memory in pipes and sockets",
        "right",
        inside("""\
import fcntl, os, socket
kept = []
def fill(make, write):
    try:
        while True:
            ends = make()
            kept.extend(ends)
            try:
                while True:
                    write(ends[1])
            except BlockingIOError:
                pass
    except OSError:
        pass
def pipe():
    ends = os.pipe()
    os.set_blocking(ends[1], False)
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
    return ends
def pair():
    ends = socket.socketpair()
    ends[1].setblocking(False)
    return ends
fill(pipe, lambda end: os.write(end, b"x" * 65536))
fill(pair, lambda end: end.send(b"x" * 65536))
for end in kept:
    os.close(end) if isinstance(end, int) else end.close()"""),
    ),
    Hostile(
        "memory without an address",
        "right",
        inside("""\
import os
try:
    file = os.memfd_create("x")
    while True:
        os.write(file, b"x" * (1 << 20))
except OSError:
    pass"""),
    ),
    Hostile(
        "passes on descriptors",
        "stopped",
        inside("""\
import gc, socket
for s in gc.get_objects():
    if isinstance(s, socket.socket) and s.fileno() >= 0:
        for _ in range(100):
            socket.send_fds(s, [b"\\0"], [0] * 200)"""),
        "Stopped",
        ("time", "protocol", "exit"),
    ),
    Hostile(
        "an error that cannot be told",
        "stopped",
        inside("""\
class Untold(Exception):
    def __str__(self):
        while True:
            pass
raise Untold"""),
        "longer",
        ("time",),
    ),
    Hostile(
        "a view of one number",
        "error",
        inside("return 0.0, np.broadcast_to(0.0, (10**9, 10**6))"),
        "MemoryError",
    ),
    Hostile(
        "lists that share",
        "error",
        inside("a = ['x' * 1000]\nfor _ in range(30): a = [a] * 10\nreturn a"),
        "nested",
    ),
    Hostile(
        "lowers its own limits",
        "right",
        inside("""\
import gc, os, resource, signal, sys
for name in ("NOFILE", "NPROC", "FSIZE", "CORE", "MSGQUEUE"):
    resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
os.nice(19)
gc.disable()
sys.setswitchinterval(100)
signal.setitimer(signal.ITIMER_REAL, 3600)"""),
    ),
    Hostile(
        "hides modules behind files of their names",
        "right",
        """\
import builtins, sys
for name in ("numpy", "json", "struct", "matplotlib", "IPython", "cs231n_helpers"):
    with open(f"{name}.py", "w") as file:
        file.write("import os; os._exit(0)")
sys.path.insert(0, ".")
sys.excepthook = sys.unraisablehook = sys.displayhook = builtins.print = None
"""
        + HONEST,
    ),
    Hostile(
        "the doctor's formulas",
        "wrong|error",
        inside("""\
from cs231n_helpers.doctor import backward, small_problem
from cs231n_helpers.exercises import explain
return small_problem.model(W, X, y), explain.model_of("svm_vectorized")(W, X, y)"""),
    ),
]


# ---- what is handed in is no honest file: for those who read submissions ----

Notebook = dict[str, Any]
Write = Callable[[Path, Notebook], Any]


@dataclass(frozen=True)
class Mangled:
    """Something that is handed in, written into a student's folder beside the honest files.

    `write(path, notebook)` gets the path of 01_svm, where nothing is, and the honest notebook.
    outcome: "unreadable" (the notebook's exercises get 0 and a sentence that holds `word`) or
    "right" (its marks are those of the honest one).
    """

    name: str
    outcome: str
    write: Write
    word: str = ""


NOTEBOOK = "01_svm.ipynb"


def of_bytes(content: bytes) -> Write:
    return lambda path, _: path.write_bytes(content)


def of_change(change: Callable[[Notebook], Notebook | None]) -> Write:
    """The honest notebook, changed in place or by what is returned."""

    def write(path: Path, notebook: Notebook) -> None:
        changed = copy.deepcopy(notebook)
        path.write_text(json.dumps(change(changed) or changed), "utf-8")

    return write


def of_link(target: str) -> Write:
    return lambda path, _: path.symlink_to(target)


def truncated(path: Path, notebook: Notebook) -> None:
    text = json.dumps(notebook)
    path.write_text(text[: len(text) // 2], "utf-8")


def large(path: Path, _: Notebook) -> None:
    """200 MB that take no room."""
    with path.open("wb") as file:
        file.write(b"[")
        file.truncate(200 << 20)


def strange_names(path: Path, notebook: Notebook) -> None:
    """More files, with names that are no names, beside an honest notebook."""
    path.write_text(json.dumps(notebook), "utf-8")
    for name in ("<script>alert(1)<.ipynb", "two\nlines.ipynb", "..ipynb", "-rf", "a;b $(c) `d`"):
        path.with_name(name).write_text("{}", "utf-8")


def version_3(notebook: Notebook) -> Notebook:
    """The form of 2011."""
    cells = [
        {"cell_type": "code", "input": cell["source"], "language": "python", "outputs": []}
        for cell in notebook["cells"]
    ]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


def cells_of(notebook: Notebook, kind: str) -> list[dict[str, Any]]:
    """The cells that nbgrader takes for a "solution" or, to be graded, a check: "grade"."""
    return [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get(kind)]


def no_metadata(notebook: Notebook) -> None:
    """As after a copy into another notebook."""
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def all_ids_the_same(notebook: Notebook) -> None:
    for cell in cells_of(notebook, "solution"):
        cell["metadata"]["nbgrader"]["grade_id"] = "svm_naive"


def each_exercise_twice(notebook: Notebook) -> None:
    """First with an empty function."""
    for cell in cells_of(notebook, "solution"):
        empty = "".join(cell["source"]).split("\n")[0] + "\n    raise NotImplementedError"
        notebook["cells"].insert(notebook["cells"].index(cell), {**cell, "source": empty})


def no_checks(notebook: Notebook) -> None:
    for cell in cells_of(notebook, "grade"):
        notebook["cells"].remove(cell)


def harmful_checks(notebook: Notebook) -> None:
    for cell in cells_of(notebook, "grade"):
        cell["source"] = "import os\nos._exit(0)"


def more_points(notebook: Notebook) -> None:
    for cell in cells_of(notebook, "grade"):
        cell["metadata"]["nbgrader"]["points"] = 1_000_000


def script_in_outputs(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            data = {"text/html": "<script>alert(1)</script>"}
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]


STRANGE_CELLS: list[Any] = [None, 1, "x", [], {}, {"cell_type": [], "source": {}, "metadata": 3}]
STRANGE_CELLS += [{"cell_type": "code", "source": [1, None], "metadata": {"nbgrader": "yes"}}]
STRANGE_CELLS += [{"cell_type": "code", "source": 7, "metadata": {"nbgrader": {"grade_id": []}}}]

FILES = [
    Mangled("empty", "unreadable", of_bytes(b""), "notebook"),
    Mangled("binary", "unreadable", of_bytes(bytes(range(256)) * 100), "notebook"),
    Mangled("not UTF-8", "unreadable", of_bytes(b'{"cells": ["\xff\xfe"]}'), "notebook"),
    Mangled("truncated", "unreadable", truncated, "notebook"),
    Mangled("200 MB", "unreadable", large, "large"),
    Mangled("JSON nested deeply", "unreadable", of_bytes(b"[" * 1_000_000), "notebook"),
    Mangled("JSON of one number", "unreadable", of_bytes(b"9" * 100_000), "notebook"),
    Mangled("version 3", "unreadable", of_change(version_3), "version"),
    Mangled("cells are no list", "unreadable", of_change(lambda n: n | {"cells": "x"}), "notebook"),
    Mangled(
        "cells of wrong types",
        "right",
        of_change(lambda n: n | {"cells": [*STRANGE_CELLS, *n["cells"]]}),
    ),
    Mangled("a link to /etc/passwd", "unreadable", of_link("/etc/passwd"), "link"),
    Mangled("a link to a neighbor", "unreadable", of_link(f"../neighbor/{NOTEBOOK}"), "link"),
    Mangled("a link to itself", "unreadable", of_link(NOTEBOOK), "link"),
    Mangled("a folder", "unreadable", lambda path, _: path.mkdir(), "file"),
    Mangled("a named pipe", "unreadable", lambda path, _: os.mkfifo(path), "file"),
    Mangled("strange file names", "right", strange_names),
    Mangled("no metadata", "right", of_change(no_metadata)),
    Mangled("all ids the same", "right", of_change(all_ids_the_same)),
    Mangled("each exercise twice", "right", of_change(each_exercise_twice)),
    Mangled("no check cells", "right", of_change(no_checks)),
    Mangled("check cells that do harm", "right", of_change(harmful_checks)),
    Mangled("more points", "right", of_change(more_points)),
    Mangled("a script in its outputs", "right", of_change(script_in_outputs)),
]
