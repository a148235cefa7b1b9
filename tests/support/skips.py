"""What was skipped: a line for each reason, and `--strict-machine`.

That option fails a run that had to skip tests: it is for a machine on which all of them
are meant to run.
"""

from __future__ import annotations

from collections import Counter

import pytest
from _pytest.terminal import TerminalReporter

from lacking import ALLOWED, PACKAGES, missing


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-machine",
        action="store_true",
        help="fail where tests are skipped because of what this machine lacks",
    )


def pytest_report_header() -> str | None:
    packages = sorted({PACKAGES[name] for name in PACKAGES if missing(name)})
    if not packages:
        return None
    return f"some tests will be skipped: apt install {' '.join(packages)}"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    strict = session.config.getoption("strict_machine")
    if strict and session.exitstatus == pytest.ExitCode.OK and _lacking(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: TerminalReporter, config: pytest.Config
) -> None:
    for reason, number in sorted(_skips(config).items()):
        tests = "1 test was" if number == 1 else f"{number} tests were"
        terminalreporter.write_line(f"{reason}: {tests} skipped")
    if config.getoption("strict_machine") and _lacking(config):
        told = "--strict-machine: these tests are meant to run here."
        terminalreporter.write_line(told, red=True)


def _lacking(config: pytest.Config) -> set[str]:
    return set(_skips(config)).difference(ALLOWED)


def _skips(config: pytest.Config) -> Counter[str]:
    """How many tests were skipped for each reason, as the controller knows it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in reports
        if isinstance(report.longrepr, tuple)
    )
