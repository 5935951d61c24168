"""The seccomp filter (Linux, seccomp(2)) that an image worker installs before it reads an uploaded file.

A decoder bug could let an uploaded file run code with the rights of the server's user. The filter
denies, with EPERM, the system calls that open the network, run programs, reach other processes or
change files. The worker can still read files, compute, and write to its pipe.

The filter needs no privilege, applies to every thread that starts later, and cannot be removed. It is
assembled here because the standard library has no such function and the rules are few. Without kernel
support for it, the resource limits and the service manager's sandbox remain.
"""

from __future__ import annotations

import errno
import os
import struct
import sys

# Name in the kernel's table -> number on x86_64, number on aarch64; -1 if the call does not exist there.
_DENIED_CALLS = {
    # the network; io_uring can open sockets without the other calls
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    # other programs and processes: the server runs as the same user
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, -1), "vfork": (58, -1), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    # files: RLIMIT_FSIZE alone would still allow truncating, renaming and removing
    "creat": (85, -1), "openat2": (437, 437), "truncate": (76, 45), "ftruncate": (77, 46), "unlink": (87, -1),
    "unlinkat": (263, 35), "rename": (82, -1), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, -1),
    "linkat": (265, 37), "symlink": (88, -1), "symlinkat": (266, 36), "mkdir": (83, -1), "mkdirat": (258, 34),
    "rmdir": (84, -1), "mknod": (133, -1), "mknodat": (259, 33), "chmod": (90, -1), "fchmod": (91, 52),
    "fchmodat": (268, 53), "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    # calls that could bypass a filter
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "pivot_root": (155, 41), "chroot": (161, 51),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "open_by_handle_at": (304, 265),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
}  # fmt: skip
# Opening a file for writing is denied. Name -> numbers as above, index of the argument that holds the flags.
_OPEN_CALLS = {"open": ((2, -1), 1), "openat": ((257, 56), 2)}
_PRLIMIT = (302, 261)  # allowed only for the calling process (pid 0)
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# machine -> index into the pairs of numbers above, AUDIT_ARCH_… of linux/audit.h
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000  # the x32 ABI has its own call numbers on x86_64, which would bypass the filter

# linux/bpf_common.h, linux/seccomp.h, linux/prctl.h
_LOAD, _RETURN, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x20, 0x06, 0x15, 0x35, 0x45
_ALLOW, _KILL_PROCESS, _DENY = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16  # in struct seccomp_data
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


def confine() -> bool:
    """Install the filter in this process. False if the platform or the kernel does not support it; never raises."""
    machine = _ARCHITECTURES.get(os.uname().machine)
    if machine is None or sys.byteorder != "little" or not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes  # missing in some builds of Python; fails if memory cannot be made executable

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, MemoryError, OSError, AttributeError):
        return False
    instructions = _instructions(*machine)
    code = ctypes.create_string_buffer(b"".join(instructions))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0) == 0)


def _instructions(column: int, architecture: int) -> list[bytes]:
    """The BPF program. `column` is the index into each pair of call numbers."""
    code = [
        _instruction(_LOAD, _ARCHITECTURE_OFFSET),
        _instruction(_IF_EQUAL, architecture, then=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER_OFFSET),
    ]
    if column == 0:
        code += [_instruction(_IF_AT_LEAST, _X32, otherwise=1), _instruction(_RETURN, _DENY)]
    for numbers in _DENIED_CALLS.values():
        if numbers[column] >= 0:
            code += [_instruction(_IF_EQUAL, numbers[column], otherwise=1), _instruction(_RETURN, _DENY)]
    for numbers, argument in _OPEN_CALLS.values():
        if numbers[column] >= 0:
            code += [
                _instruction(_IF_EQUAL, numbers[column], otherwise=4),
                _instruction(_LOAD, _ARGUMENTS_OFFSET + 8 * argument),
                _instruction(_IF_ANY_BIT, _WRITE_FLAGS, otherwise=1),
                _instruction(_RETURN, _DENY),
                _instruction(_RETURN, _ALLOW),
            ]
    code += [
        _instruction(_IF_EQUAL, _PRLIMIT[column], otherwise=3),
        _instruction(_LOAD, _ARGUMENTS_OFFSET),
        _instruction(_IF_EQUAL, 0, then=1),
        _instruction(_RETURN, _DENY),
    ]
    return [*code, _instruction(_RETURN, _ALLOW)]


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One `struct sock_filter`. `then` and `otherwise` are the numbers of instructions to skip."""
    return struct.pack("=HBBI", code, then, otherwise, value)
