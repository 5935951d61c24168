"""The commands of the pages are run as those of the operator's tests are."""

from __future__ import annotations

from tests.ops.conftest import operate, operator  # noqa: F401
