"""Started beside the grader: shuts itself in, then runs one submission's worker and watches it.

    python -S -P jail.py LIFELINE CONTROL      (two inherited sockets)

LIFELINE brings the settings and takes back how the worker ended; when the grader closes it, or
dies, everything in here is killed. CONTROL is the worker's. NumPy cannot be imported here: the
paths of packages are set in the worker only.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import sys
import threading
import types
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

# Of <sched.h>, <sys/mount.h>, <sys/prctl.h> and <linux/capability.h>.
NEW_NS, NEW_UTS, NEW_IPC = 0x00020000, 0x04000000, 0x08000000
NEW_USER, NEW_PID, NEW_NET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 0x1000, 0x4000, 1 << 18
MNT_DETACH, AT_FDCWD, AT_RECURSIVE, SYS_MOUNT_SETATTR = 2, -100, 0x8000, 442
READ_ONLY = 1 | MS_NOSUID  # MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
CAPABILITY_VERSION_3 = 0x20080522
DEVICES = ("null", "zero", "full", "random", "urandom")
WORK = "/box/work"


def main() -> None:
    """Read the settings, shut this process in, run the worker."""
    lifeline, control = (socket.socket(fileno=int(fd)) for fd in sys.argv[1:])
    settings = json.loads(lifeline.makefile().readline())
    here = Path(__file__).parent
    sources = {name: (here / f"{name}.py").read_text() for name in ("protocol", "worker")}
    try:
        if settings["level"] == "namespaces":
            enter_namespaces(lifeline, control)
            build_root(settings["mounts"], settings["limits"]["files"])
        run(settings, sources, lifeline, control)
    except OSError as error:
        lifeline.sendall(json.dumps({"failed": str(error)}).encode() + b"\n")


# ---- a world of its own ----


def libc(name: str, *arguments: Any) -> None:
    """Call a function of the C library; OSError where it fails."""
    given = [a.encode() if isinstance(a, str) else a for a in arguments]
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*given) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}{arguments}: {os.strerror(number)}")


def enter_namespaces(lifeline: socket.socket, control: socket.socket) -> None:
    """Go on as the first process of namespaces of its own; the one that came in only waits."""
    uid, gid = os.getuid(), os.getgid()
    flags = NEW_NS | NEW_PID | NEW_NET | NEW_IPC | NEW_UTS
    libc("unshare", flags if uid == 0 else flags | NEW_USER)
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        with suppress(OSError):  # no further ones inside: they would bring capabilities back
            Path("/proc/sys/user/max_user_namespaces").write_text("0")
    child = os.fork()
    if child:
        lifeline.close()
        control.close()
        os.waitpid(child, 0)
        os._exit(0)


def build_root(mounts: list[list[str]], size: int) -> None:
    """Make a root of its own that holds what `mounts` says, read-only, and an empty folder."""
    libc("mount", "none", "/", None, MS_REC | MS_PRIVATE, None)
    new, old = "/tmp", "old"  # of the old root's folders, one that is everywhere
    libc("mount", "tmpfs", new, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    os.mkdir(f"{new}/{old}")
    libc("pivot_root", new, f"{new}/{old}")
    os.chdir("/")
    os.umask(0o022)
    for kind, source, target in mounts:
        if kind == "link":
            os.symlink(source, target)
        elif kind == "hide":
            if os.path.isdir(target):
                libc("mount", "tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
        else:
            bind("/old" + source, target)
    for name in DEVICES:
        bind(f"/old/dev/{name}", f"/dev/{name}")
    os.makedirs(WORK)
    libc("umount2", "/old", MNT_DETACH)
    os.rmdir("/old")
    attributes = (ctypes.c_uint64 * 4)(READ_ONLY, 0, 0, 0)
    size_of, path = ctypes.c_size_t(ctypes.sizeof(attributes)), b"/"
    libc(
        "syscall",
        ctypes.c_long(SYS_MOUNT_SETATTR),
        AT_FDCWD,
        path,
        AT_RECURSIVE,
        attributes,
        size_of,
    )
    options = f"size={size},nr_inodes=4096,mode=0777"
    libc("mount", "tmpfs", WORK, "tmpfs", MS_NOSUID | MS_NODEV, options)


def bind(source: str, target: str) -> None:
    """Show a file or folder of the old root in the new one."""
    if not os.path.exists(target):
        if os.path.isdir(source):
            os.makedirs(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            Path(target).touch()
    libc("mount", source, target, None, MS_BIND | MS_REC, None)


# ---- the worker, and the one that watches it ----


def run(
    settings: dict[str, Any],
    sources: dict[str, str],
    lifeline: socket.socket,
    control: socket.socket,
) -> None:
    """Start the worker, wait for its end and say how it was; kill it when the lifeline ends."""
    if sys.platform == "linux":
        libc("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what the worker leaves is ours to end
        libc("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)  # not to be traced by the worker
    worker = os.fork()
    if worker == 0:
        lifeline.close()
        work(settings, sources, control)
    control.close()
    lifeline.sendall(json.dumps({"worker": worker}).encode() + b"\n")
    threading.Thread(target=watch, args=(lifeline, worker), daemon=True).start()
    pid = 0
    while pid != worker:
        pid, status, used = os.wait4(-1, 0)
    kill(worker)
    ended = {"status": os.waitstatus_to_exitcode(status), "cpu": used.ru_utime + used.ru_stime}
    lifeline.sendall(json.dumps(ended).encode() + b"\n")


def watch(lifeline: socket.socket, worker: int) -> None:
    """End everything when the grader is gone."""
    while lifeline.recv(1):
        pass
    kill(worker)
    os._exit(0)


def kill(worker: int) -> None:
    """Kill the worker and what it has started; in namespaces, our own end kills all of it."""
    with suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    for _ in range(100):  # those that have left its group: killed, their children become ours
        children = [
            p for f in Path("/proc/self/task").glob("*/children") for p in f.read_text().split()
        ]
        for child in map(int, children):
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(child, 0)
        if not children:
            break


def work(settings: dict[str, Any], sources: dict[str, str], control: socket.socket) -> NoReturn:
    """Be the worker: give up every right, then serve."""
    try:
        os.setsid()
        os.chdir(settings["work"])
        for file in Path(settings["package"], "fonts").iterdir():
            shutil.copy(file, ".")
        missing = limit(settings["limits"])
        drop_rights(settings["uid"])
        sys.path[:] = [settings["package"], *sys.path, *settings["site"]]
        for name in ("classroom", "classroom.sandbox"):
            sys.modules[name] = types.ModuleType(name)
        for name, source in sources.items():
            module = types.ModuleType(f"classroom.sandbox.{name}")
            sys.modules[module.__name__] = module
            exec(compile(source, f"<{name}>", "exec"), module.__dict__)
        sys.modules["classroom.sandbox.worker"].serve(control, settings["package"], missing)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(70 if not isinstance(error, MemoryError) else 71)
    os._exit(0)


def limit(limits: dict[str, Any]) -> list[str]:
    """Set the limits of this process and its children; return those the system does not have."""
    wanted = {
        "CORE": 0,
        "CPU": limits["cpu"],
        "AS": limits["memory"],
        "NPROC": limits["processes"],
        "FSIZE": limits["files"],
        "NOFILE": limits["open_files"],
    }
    missing = []
    for name, value in wanted.items():
        try:
            # The second CPU signal, which cannot be caught, comes a second after the first.
            resource.setrlimit(
                getattr(resource, f"RLIMIT_{name}"), (value, value + (name == "CPU"))
            )
        except (AttributeError, OSError, ValueError):
            missing.append(name)
    return missing


def drop_rights(uid: int) -> None:
    """Become an ordinary user with no capability, and never get one again."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid) if hasattr(os, "setresgid") else os.setgid(uid)
        os.setresuid(uid, uid, uid) if hasattr(os, "setresuid") else os.setuid(uid)
    if sys.platform == "linux":
        libc("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc("capset", (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())
        libc("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    main()
