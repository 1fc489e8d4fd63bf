"""Take system calls away from this process, on Linux: it can no longer start another one.

Threads are still there. With a single process, the limits of a process (memory, processor time)
are those of the submission. Gone are also new namespaces, the keyring of the session, tracing, and
files that are in no folder.

Sources: Linux' Documentation/userspace-api/seccomp_filter.rst; the numbers are those of
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

# number on x86-64, number on 64-bit ARM (None: it has no such call)
REFUSED = {
    "fork": (57, None), "vfork": (58, None), "unshare": (272, 97), "setns": (308, 268),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "ptrace": (101, 117),
    "process_vm_writev": (311, 271), "bpf": (321, 280), "userfaultfd": (323, 282),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "memfd_create": (319, 279),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_...
CLONE_THREAD = 0x00010000
SET_NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2  # of prctl
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000  # REFUSE: with an errno added
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06  # instructions
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # places in struct seccomp_data


def program(machine: str) -> bytes:
    """Return the filter: 8 bytes an instruction, code, steps if true, steps if false, value."""
    column, architecture = MACHINES[machine]

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    numbers = [pair[column] for pair in REFUSED.values()]
    steps = [
        step(LOAD, ARCHITECTURE), step(EQUAL, architecture, 1, 0), step(RETURN, KILL),
        step(LOAD, NUMBER),
        # what cannot be looked into is said not to exist: the C library then takes clone
        step(EQUAL, CLONE3[column], 0, 1), step(RETURN, REFUSE | errno.ENOSYS),
        *(half for number in numbers if number is not None
          for half in (step(EQUAL, number, 0, 1), step(RETURN, REFUSE | errno.EPERM))),
        step(EQUAL, CLONE[column], 0, 3),
        step(LOAD, FIRST_ARGUMENT), step(ANY_BIT, CLONE_THREAD, 1, 0),
        step(RETURN, REFUSE | errno.EPERM), step(RETURN, ALLOW),
    ]  # fmt: skip
    return b"".join(steps)


def refuse_processes() -> bool:
    """Put the filter in place for good; return whether this system has it."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        return False
    code = program(platform.machine())
    held = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    given = Program(len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    calls = ((SET_NO_NEW_PRIVS, 1), (SET_SECCOMP, FILTER, ctypes.byref(given)))
    return all(libc.prctl(*call, *(0,) * (5 - len(call))) == 0 for call in calls)
