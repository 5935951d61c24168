"""The wheel is built and installed once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.install import wheels


@pytest.fixture(scope="package")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="package")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that contains only the wheel and its dependencies."""
    return wheels.install(wheel, tmp_path_factory.mktemp("environment") / "venv")
