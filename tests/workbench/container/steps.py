"""The commands of docs/install.md, "In a container", and what they must lead to. Runs in a network of its own.

    python -m tests.workbench.container.steps DIRECTORY

`docker` is a program of DIRECTORY (image.py). Prints figures as JSON in its last line.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.install.wheels import ROOT
from tests.workbench.booted.member import Member, png

PASSWORD = "correct horse battery 9"
ADDRESS = "http://127.0.0.1:8000"
UID = 10001
SECONDS_MAX = 600


def run(*words: str, fails: bool = False) -> str:
    """Run a command in the checkout; what it printed, on both. `fails`: its exit code must not be 0."""
    done = subprocess.run(words, cwd=ROOT, input=PASSWORD + "\n", capture_output=True, text=True, timeout=SECONDS_MAX)
    said = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, f"{' '.join(words)}: {done.returncode}\n{said}"
    return said


def documented() -> tuple[str, str, str]:
    """The three commands of the page: build, run, create-admin."""
    part = (ROOT / "docs/install.md").read_text("utf-8").partition("\n## In a container\n")[2]
    block = re.search(r"```sh\n(.*?)```", part, re.S)
    assert block
    build, start, admin = block[1].splitlines()
    return build, start, admin


def inspected(what: str, name: str) -> Any:
    return json.loads(run("docker", what, "inspect", name))[0]


def status(path: str) -> int:
    """What a request is answered with; 0 where there is no answer."""
    try:
        with urllib.request.urlopen(ADDRESS + path, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def answers(path: str = "/readyz") -> bool:
    """True when the path is answered with 200, at the latest after 30 s."""
    end = time.monotonic() + 30
    while (found := status(path)) != 200 and time.monotonic() < end:
        time.sleep(0.2)
    return found == 200


def is_built() -> float:
    """The image has what the Dockerfile says, and nothing of the build; how many MB it adds to its base."""
    run(*documented()[0].split())
    image, base = inspected("image", "chat"), inspected("image", "python:3.13-slim")
    config = image["Config"]
    assert image["HealthCheck" if "HealthCheck" in image else "Healthcheck"]["Test"][0] == "CMD"
    assert (config["User"], config["Volumes"], list(config["ExposedPorts"])) == ("chat", {"/data": {}}, ["8000/tcp"])
    files = run("docker", "run", "--rm", "--network", "none", "chat", "ls", "/", "/data")
    assert not {"src", "wheels"} & set(files.split())
    return float(image["Size"] - base["Size"]) / 1e6


def starts() -> None:
    """It listens at the address that it names, as a user that is not root."""
    run(*documented()[1].split())
    assert answers()
    page = re.search(r"first administrator: http://127\.0\.0\.1:8000(/setup/[^\s\"]+)", run("docker", "logs", "chat"))
    assert page and status(page[1]) == 200
    assert re.search(rf"^Uid:\s+{UID}\s", run("docker", "exec", "chat", "cat", "/proc/1/status"), re.MULTILINE)


def takes_an_administrator_and_a_picture() -> str:
    """The path of the picture: a worker has decoded it."""
    admin = documented()[2].replace("-it", "-i").split()
    run(*admin, "--password-stdin")
    path = Member(ADDRESS, "小明", PASSWORD).show(png(640))
    has(path)
    return path


def has(path: str) -> None:
    assert Member(ADDRESS, "小明", PASSWORD).get(path)


def is_unhealthy_while_its_process_hangs() -> None:
    run("docker", "healthcheck", "run", "chat")
    run("docker", "kill", "--signal", "STOP", "chat")
    run("docker", "healthcheck", "run", "chat", fails=True)
    run("docker", "kill", "--signal", "CONT", "chat")
    assert answers()
    run("docker", "healthcheck", "run", "chat")


def restarts(path: str) -> float:
    """SIGTERM ends it with 0, and it comes back with what was in it; after how many seconds it answered."""
    begun = time.monotonic()
    run("docker", "restart", "chat")
    assert answers()
    took = time.monotonic() - begun
    has(path)
    run("docker", "stop", "chat")
    assert inspected("container", "chat")["State"]["ExitCode"] == 0
    run("docker", "start", "chat")
    assert answers()
    return took


def is_whole_after_kill(path: str) -> None:
    """`--restart` is the engine's part, and podman's takes systemd for an image with a health check."""
    run("docker", "kill", "--signal", "KILL", "chat")
    run("docker", "wait", "chat")
    run("docker", "start", "chat")
    assert answers()
    has(path)


def is_restored(path: str) -> None:
    """A backup is made in the volume while it runs, and put in the place of the data of one that does not run."""
    run("docker", "exec", "chat", "chatserver", "backup", "/data/chat.tar")
    run("docker", "stop", "chat")
    once = ("docker", "run", "--rm", "--network", "none", "-v", "chat:/data", "chat")
    run(*once, "chatserver", "restore", "/data/chat.tar", "--force")
    run("docker", "start", "chat")
    assert answers()
    has(path)


def is_upgraded(path: str) -> None:
    run(*documented()[0].split())
    run("docker", "rm", "-f", "chat")
    run(*documented()[1].split())
    assert answers()
    has(path)


def main(directory: Path) -> None:
    run("ip", "link", "set", "lo", "up")
    begun = time.monotonic()
    added_mb = is_built()
    built_s = time.monotonic() - begun
    starts()
    path = takes_an_administrator_and_a_picture()
    is_unhealthy_while_its_process_hangs()
    restart_s = restarts(path)
    is_whole_after_kill(path)
    is_restored(path)
    is_upgraded(path)
    run("docker", "rm", "-f", "chat")
    print(json.dumps({"added_mb": round(added_mb), "built_s": round(built_s), "restart_s": round(restart_s, 1)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
