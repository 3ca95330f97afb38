"""Podman for tests: whether it can run, the images of this tree, and a container's view of its limits."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PYTHON_BASE = "docker.io/library/python:3.11-slim-bookworm"
SERVING_BASE = "docker.io/tensorflow/serving:2.20.0"
LOCAL_BASES = ROOT.parent / "shared" / "containers" / "local-base-images"
NEEDED = ("podman", "buildah", "catatonit", "podman-compose")
BUILD_TIMEOUT_S = 900.0
COMMAND_TIMEOUT_S = 300.0
START_S = 120.0
STATE = """
id -u
touch /forbidden 2>/dev/null && echo writable || echo read-only
sed -n 's/^\\(CapEff\\|NoNewPrivs\\|Seccomp\\):[[:space:]]*//p' /proc/self/status
cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes
cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us
cat /sys/fs/cgroup/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max
"""


@functools.cache
def _environment() -> dict[str, str]:
    """Return the environment of every command: programs of this environment first, and settings for a VM."""
    folder = Path(tempfile.mkdtemp(prefix="inclinet-podman-"))
    runtime = 'runtime = "runc"\n' if shutil.which("runc") and not shutil.which("crun") else ""
    limits = 'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
    (folder / "containers.conf").write_text(f"[engine]\n{runtime}[containers]\n{limits}", encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"CONTAINERS_CONF": str(folder / "containers.conf"), "PATH": path}


class CommandFailed(AssertionError):
    """A command failed; the message holds its output."""


def command(*words: str, timeout_s: float = COMMAND_TIMEOUT_S, environment: dict[str, str] | None = None) -> str:
    """Run a command in the repository's root and return its output.

    The output goes to files, because a running container keeps a pipe open after the command has ended.

    Raises
    ------
    CommandFailed
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=_environment() | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=said,
            timeout=timeout_s,
            check=False,
        )
        out.seek(0)
        said.seek(0)
        if done.returncode:
            raise CommandFailed(f"{' '.join(words)} ended with {done.returncode}:\n{said.read()[-4000:]}")
        return out.read()


def podman(*words: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
    """Run podman."""
    return command("podman", *words, timeout_s=timeout_s).strip()


def exists(image: str) -> bool:
    """Return whether an image is on this machine."""
    try:
        podman("image", "exists", image)
    except CommandFailed:
        return False
    return True


@functools.cache
def why_not() -> str | None:
    """Return a sentence on why containers can't be built and run here; None if they can."""
    if sys.platform != "linux":
        return "Containers are tested on Linux only."
    path = _environment()["PATH"]
    missing = [name for name in NEEDED if shutil.which(name, path=path) is None]
    if missing:
        return f"Not installed here: {', '.join(missing)}."
    try:
        if not exists(PYTHON_BASE):
            if LOCAL_BASES.is_file() and os.geteuid() == 0:
                command(str(LOCAL_BASES), timeout_s=BUILD_TIMEOUT_S)
            else:
                podman("pull", "--quiet", PYTHON_BASE, timeout_s=BUILD_TIMEOUT_S)
        _try_out()
    except (CommandFailed, subprocess.TimeoutExpired, OSError) as error:
        return f"Podman can't run a container here: {str(error).strip().splitlines()[-1]}"
    return None


def _try_out() -> None:
    """Run a container with limits, a published port, and a network with name resolution."""
    name = f"inclinet-try-{os.getpid()}"
    podman("network", "create", name)
    try:
        podman(
            *("run", "--rm", "--name", name, "--network", name, "--publish", "127.0.0.1::8080"),
            *("--memory", "256m", "--cpus", "1", "--pids-limit", "64", "--read-only", "--cap-drop", "all", "--init"),
            *(PYTHON_BASE, "python3", "-c", f"import socket; socket.gethostbyname({name!r})"),
        )
    finally:
        podman("network", "rm", "-f", name)


def build(tag: str, dockerfile: Path, context: Path = ROOT, *options: str) -> None:
    """Build an image."""
    command(
        *("buildah", "build", "--isolation=chroot", "--layers", "--format", "docker", "--quiet"),
        *("-f", str(dockerfile), "-t", tag, *options, str(context)),
        timeout_s=BUILD_TIMEOUT_S,
    )


def inspect(thing: str, kind: str = "container") -> dict[str, Any]:
    """Return podman's description of a container, image or network."""
    (found,) = json.loads(podman("inspect", "--type", kind, thing))
    return dict(found)


def kill(container: str) -> None:
    """Kill a container's first process, as in a crash, and wait until it has been restarted.

    The kill bypasses podman, which takes it for a crash.
    """
    before = int(inspect(container)["RestartCount"])
    os.kill(int(inspect(container)["State"]["Pid"]), signal.SIGKILL)
    wait_until(lambda: int(inspect(container)["RestartCount"]) > before, f"{container} to be started again", START_S)


@dataclass(frozen=True)
class Inside:
    """A container's view of its own limits.

    Attributes
    ----------
    memory : int
        Memory limit, bytes.
    processors : float
    processes : int
    """

    user: int
    root: str
    capabilities: int
    no_new_privileges: bool
    seccomp: int
    memory: int
    processors: float
    processes: int

    @classmethod
    def of(cls, container: str) -> Inside:
        """Return the limits that a running container sees."""
        user, root, effective, no_new, seccomp, memory, *rest = podman("exec", container, "sh", "-c", STATE).split()
        quota, period, processes = rest
        return cls(
            user=int(user),
            root=root,
            capabilities=int(effective, 16),
            no_new_privileges=no_new == "1",
            seccomp=int(seccomp),
            memory=int(memory),
            processors=int(quota) / int(period),
            processes=int(processes) if processes != "max" else 0,
        )
