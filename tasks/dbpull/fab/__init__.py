"""The one package that imports fabric: what `fab` is told, how hosts are reached."""

from __future__ import annotations

import os

import fabric.main
from fabric.config import Config

from dbpull.fab.executor import HostsExecutor


def share_invoke_config() -> None:
    """Make `fab` read invoke.yaml and INVOKE_*, which by itself it does not.

    Call it after tasks.py was imported: fab loads the project's file after its
    fabfile, and the environment before each task. A FABRIC_* that is set stays. It
    also has our tasks run on all hosts at once, unless `tasks.executor_class` names
    another executor.
    """
    Config.file_prefix = "invoke"
    fabric.main.program.executor_class = HostsExecutor
    for name, value in list(os.environ.items()):
        if name.startswith("INVOKE_"):
            os.environ.setdefault(name.replace("INVOKE_", "FABRIC_", 1), value)
