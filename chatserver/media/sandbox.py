"""What an image worker gives up for good before it reads a stranger's file.

A decoder that was taken over would be a program of an attacker's under the server's own user. So
the worker asks the kernel to refuse it the network, other programs, other processes, and every
change to a file. It may still read files that it can name, compute, and answer on its pipe.

This is a seccomp filter (Linux, seccomp(2)): it needs no privilege, holds for every thread to come,
and nobody can take it off. Built by hand, since the standard library has none and the rules are
few. Where the kernel or the machine has no such filters, RLIMITs and the service manager remain.
"""

from __future__ import annotations

import errno
import os
import platform
import struct
import sys

# Names as in the kernel's tables; the numbers are those of x86_64 and of aarch64, -1 where there is none.
_REFUSED = {
    # the network, and the ring by which one reaches it without these calls
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    # other programs and processes: the server has the same user
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, -1), "vfork": (58, -1), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    # files: RLIMIT_FSIZE alone would still let them be emptied, renamed and removed
    "creat": (85, -1), "openat2": (437, 437), "truncate": (76, 45), "ftruncate": (77, 46), "unlink": (87, -1),
    "unlinkat": (263, 35), "rename": (82, -1), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, -1),
    "linkat": (265, 37), "symlink": (88, -1), "symlinkat": (266, 36), "mkdir": (83, -1), "mkdirat": (258, 34),
    "rmdir": (84, -1), "mknod": (133, -1), "mknodat": (259, 33), "chmod": (90, -1), "fchmod": (91, 52),
    "fchmodat": (268, 53), "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    # the ways round a filter
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "pivot_root": (155, 41), "chroot": (161, 51),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "open_by_handle_at": (304, 265),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
}  # fmt: skip
# These are refused by their flags (the argument of that index): nothing is opened to be written.
_OPENING = {"open": ((2, -1), 1), "openat": ((257, 56), 2)}
_PRLIMIT = (302, 261)  # refused for any process but our own, which is 0
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# AUDIT_ARCH_… of linux/audit.h
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000  # x86_64's second table of numbers, which would otherwise be a way round

# linux/bpf_common.h, linux/seccomp.h, linux/prctl.h
_LOAD, _RETURN, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x20, 0x06, 0x15, 0x35, 0x45
_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2


def confine() -> bool:
    """Put the filter on this process. False where that is not possible here; never raises."""
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.byteorder != "little" or not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes  # not in every build of Python, and not without memory to write code into in some

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, MemoryError, OSError, AttributeError):
        return False
    instructions = _instructions(*machine)
    code = ctypes.create_string_buffer(b"".join(instructions))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(_PR_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _instructions(column: int, architecture: int) -> list[bytes]:
    code = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_IF_EQUAL, architecture, then=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER_AT),
    ]
    if column == 0:
        code += [_instruction(_IF_AT_LEAST, _X32, otherwise=1), _instruction(_RETURN, _REFUSE)]
    for numbers in _REFUSED.values():
        if numbers[column] >= 0:
            code += [_instruction(_IF_EQUAL, numbers[column], otherwise=1), _instruction(_RETURN, _REFUSE)]
    for numbers, argument in _OPENING.values():
        if numbers[column] >= 0:
            code += [
                _instruction(_IF_EQUAL, numbers[column], otherwise=4),
                _instruction(_LOAD, _ARGUMENTS_AT + 8 * argument),
                _instruction(_IF_ANY_BIT, _TO_WRITE, otherwise=1),
                _instruction(_RETURN, _REFUSE),
                _instruction(_RETURN, _ALLOW),
            ]
    code += [
        _instruction(_IF_EQUAL, _PRLIMIT[column], otherwise=3),
        _instruction(_LOAD, _ARGUMENTS_AT),
        _instruction(_IF_EQUAL, 0, then=1),
        _instruction(_RETURN, _REFUSE),
    ]
    return [*code, _instruction(_RETURN, _ALLOW)]


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One `struct sock_filter`; `then` and `otherwise` are how many to pass over."""
    return struct.pack("=HBBI", code, then, otherwise, value)
