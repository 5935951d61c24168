"""`doctor`: checks the installation without changing it, and says what to do about each problem."""

from __future__ import annotations

from chatserver.core.config import Config
from chatserver.ops.doctor import address, data, machine, push, settings
from chatserver.ops.doctor.findings import Finding, Level


def run_checks(config: Config) -> list[Finding]:
    """Run all checks. Returns every finding, also of checks without a problem."""
    findings, answer = data.checks(config)
    return [
        *machine.checks(),
        *findings,
        *settings.checks(config),
        *address.checks(config, answer),
        *push.checks(config, answer),
    ]


def as_text(findings: list[Finding]) -> str:
    """Format for a terminal: a line for each finding, the advice below it, and the totals at the end."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level.value:<8} {finding.check}: {finding.text}")
        if finding.advice:
            lines.append(f"{'':<8} -> {finding.advice}")
    problems = sum(finding.is_problem for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    lines.append(f"{problems} problem{'s' * (problems != 1)}, {warnings} warning{'s' * (warnings != 1)}")
    return "\n".join(lines)


__all__ = ["Finding", "Level", "as_text", "run_checks"]
