"""The set-up of `fab`: its configuration, and our tasks on several hosts at once."""

from __future__ import annotations

import os

import fabric.main
from fabric.config import Config

from dbpull.errors.settings import UnknownSetting
from dbpull.fab.executor import HostsExecutor
from dbpull.hosts.connection import refuse_broken_ssh_config
from dbpull.naming import NAME


def share_invoke_config() -> None:
    """Make `fab` read invoke.yaml and INVOKE_*, and run our tasks on all hosts at once.

    Call it after tasks.py was imported: fab loads the project's file after its fabfile,
    and the environment before each task. A FABRIC_* variable already set stays. The
    setting `tasks.executor_class` may name another executor. Raises UnknownSetting for
    a FABRIC_DB_*, and UnreadableFile where ~/.ssh/config can't be read.
    """
    _refuse_second_names()
    Config.file_prefix = "invoke"
    fabric.main.program.executor_class = HostsExecutor
    for name, value in list(os.environ.items()):
        if name.startswith("INVOKE_"):
            os.environ.setdefault(name.replace("INVOKE_", "FABRIC_", 1), value)
    refuse_broken_ssh_config()


def _refuse_second_names() -> None:
    """Raise UnknownSetting for a FABRIC_DB_*: Fabric would cast it, and fail."""
    prefix = NAME.prefix.replace("INVOKE_", "FABRIC_", 1)
    for name in os.environ:
        if name.startswith(prefix):
            meant = name.replace(prefix, NAME.prefix, 1)
            raise UnknownSetting(name, "the environment", [meant])
