"""docs/deploy/packaging/release.sh: the same bytes from the checkout and from the sdist, and the content of the
SBOM."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from pathlib import Path

import pytest

from chatserver import __version__
from tests.install.wheels import ROOT, command

NAMES = {f"chatserver-{__version__}{end}" for end in ("-py3-none-any.whl", ".tar.gz", ".cdx.json")} | {"SHA256SUMS"}


def release(source: Path, directory: Path, *, umask: int, **variables: str) -> dict[str, bytes]:
    """Run the script of `source`. Returns the files that it made."""
    script = source / "docs/deploy/packaging/release.sh"
    command("sh", str(script), str(directory), umask=umask, **variables)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return release(ROOT, tmp_path_factory.mktemp("release"), umask=0o022)


def test_it_makes_these_files_and_their_sums(files: dict[str, bytes]) -> None:
    assert set(files) == NAMES
    sums = dict(reversed(line.split()) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {name: hashlib.sha256(files[name]).hexdigest() for name in NAMES - {"SHA256SUMS"}}


def test_the_sdist_makes_the_same_bytes_elsewhere_at_another_time_by_another_user(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    archive = tmp_path / "sdist.tar.gz"
    archive.write_bytes(files[f"chatserver-{__version__}.tar.gz"])
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "deep/er", filter="data")
    source = tmp_path / "deep/er" / f"chatserver-{__version__}"
    for path in source.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (0, 0))
    variables = {"TZ": "Asia/Shanghai", "LC_ALL": "C", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    again = release(source, tmp_path / "again", umask=0o077, **variables)
    assert again["SHA256SUMS"].decode() == files["SHA256SUMS"].decode()
    assert again == files


def test_the_sbom_names_what_the_lock_names_with_versions_and_hashes(files: dict[str, bytes]) -> None:
    sbom = json.loads(files[f"chatserver-{__version__}.cdx.json"])
    assert sbom["bomFormat"] == "CycloneDX"
    assert (sbom["metadata"]["component"]["name"], sbom["metadata"]["component"]["version"]) == (
        "chatserver",
        __version__,
    )
    named = {
        each["name"]: (
            each["version"],
            {one["content"] for reference in each["externalReferences"] for one in reference["hashes"]},
        )
        for each in sbom["components"]
    }
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.findall(r"^([a-z0-9-]+)==([0-9.]+)(.*(?:\n +--hash.*)+)", lock, re.MULTILINE)
    assert len(entries) > 15
    assert named == {name: (version, set(re.findall(r"sha256:(\w+)", rest))) for name, version, rest in entries}


def test_the_lock_of_the_tools_names_no_registry_and_hashes_every_file() -> None:
    lock = (ROOT / "docs/deploy/packaging/release.lock").read_text("utf-8")
    assert not re.search(r"://|index-url|find-links|trusted-host|@ ", lock)
    entries = re.findall(r"^[a-z0-9-]+==[^\\\n]+\\\n +--hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^[a-z]", lock, re.MULTILINE))
    for tool in ("brotli", "cyclonedx-bom", "hatchling"):
        assert re.search(rf"^{tool}==", lock, re.MULTILINE), tool
