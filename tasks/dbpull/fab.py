"""The one module that imports fabric: what `fab` needs to be told."""

from __future__ import annotations

import os

from fabric.config import Config


def share_invoke_config() -> None:
    """Make `fab` read invoke.yaml and INVOKE_*, which by itself it does not.

    Call it after tasks.py was imported: fab loads the project's file after its
    fabfile, and the environment before each task. A FABRIC_* that is set stays.
    """
    Config.file_prefix = "invoke"
    for name, value in list(os.environ.items()):
        if name.startswith("INVOKE_"):
            os.environ.setdefault(name.replace("INVOKE_", "FABRIC_", 1), value)
