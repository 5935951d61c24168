"""The program finds its templates and static files in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatserver import assets


def test_a_checkout_has_them_beside_the_package() -> None:
    root = Path(assets.__file__).parent.parent
    assert assets.templates_dir() == root / "templates"
    assert assets.static_dir() == root / "static"


def test_an_installed_package_has_its_own_and_takes_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "chatserver"
    for place in (package, package.parent):
        (place / "templates").mkdir(parents=True)
    monkeypatch.setattr(assets, "_PACKAGE", package)
    assert assets.templates_dir() == package / "templates"
    with pytest.raises(FileNotFoundError, match="static"):
        assets.static_dir()
