"""What the machine, its container and its kernel allow."""

import resource
from collections.abc import Iterator
from pathlib import Path

from augury.diagnosis.finding import Finding, State

__all__ = ["limits"]

#: Clients that the server takes by default, and files beside their connections.
CLIENTS = 10_000
OTHER_FILES = 64
#: The server's promise: its resident set is at most this multiple of its bound, and as much more.
RESIDENT, FIXED = 1.05, 32 << 20
#: Limits above this are none.
UNLIMITED = 1 << 60


def limits(memory: int, root: Path = Path("/")) -> Iterator[Finding]:
    """For a cache of so many bytes; ``root`` is where the system's files are looked for."""
    yield room(memory, root)
    yield files()
    if (pages := read(root / "sys/kernel/mm/transparent_hugepage/enabled")) is not None:
        is_always = "[always]" in pages
        yield Finding(
            "huge pages",
            State.NOTE if is_always else State.OK,
            f"transparent huge pages: {pages}",
            "a server may take more memory than it uses; as root: "
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled" if is_always else "",
        )  # fmt: skip
    if (overcommit := read(root / "proc/sys/vm/overcommit_memory")) is not None:
        is_strict = overcommit == "2"
        yield Finding(
            "overcommit",
            State.NOTE if is_strict else State.OK,
            f"vm.overcommit_memory = {overcommit}",
            "address space counts as memory: a server may be refused some that is free; as root: "
            "sysctl vm.overcommit_memory=0" if is_strict else "",
        )  # fmt: skip


def room(memory: int, root: Path) -> Finding:
    """Whether a cache of this size has room."""
    needed = int(memory * RESIDENT) + FIXED
    allowed = {"memory available": available(root), "limit of the control group": group_limit(root)}
    known = {name: size for name, size in allowed.items() if size is not None}
    told = ", ".join(f"{name} {human(size)}" for name, size in known.items()) or "unknown"
    least = min(known.values(), default=None)
    if least is not None and least < needed:
        return Finding(
            "memory",
            State.PROBLEM,
            told,
            f"a server with --memory {human(memory)} may take {human(needed)}: choose at most "
            f"{human(max(int((least - FIXED) / RESIDENT), 0))}",
        )
    return Finding("memory", State.OK, f"{told}; a server of {human(memory)} has room")


def available(root: Path) -> int | None:
    """Bytes that can be had without swapping."""
    for line in (read(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def group_limit(root: Path) -> int | None:
    """The least limit of this process's control group and those around it; None without one."""
    found = []
    for line in (read(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):
            text = read(base.joinpath(*parts[:depth]) / name)
            if text is not None and text.isdecimal() and int(text) < UNLIMITED:
                found.append(int(text))
    return min(found, default=None)


def files() -> Finding:
    """Whether there may be as many connections as a server takes by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = f"{describe(soft)} open files at most ({describe(hard)} if asked for)"
    needed = CLIENTS + OTHER_FILES
    is_enough = soft == resource.RLIM_INFINITY or soft >= needed
    way_out = f"for {CLIENTS:,} clients: ulimit -n {needed}; or fewer by --max-clients"
    return Finding(
        "files", State.OK if is_enough else State.NOTE, told, "" if is_enough else way_out
    )


def describe(limit: int) -> str:
    """A limit, or that there is none."""
    return "unlimited" if limit == resource.RLIM_INFINITY else f"{limit:,}"


def read(path: Path) -> str | None:
    """The text of a file of the system, without its last line end; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def human(size: float) -> str:
    """Bytes for people.

    >>> human(3 << 20), human(1_536), human(5)
    ('3 MiB', '1.5 KiB', '5 bytes')
    """
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"
