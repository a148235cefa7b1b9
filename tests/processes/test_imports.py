"""What is not imported for who needs it not."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_imports_little_beyond_requests() -> None:
    heavy = ["fabric", "paramiko", "rich", "aiohttp", "responses", "dotenv"]
    code = f"import dbpull.heroku, sys; print(set(sys.modules) & set({heavy}))"

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert printed.stdout == "set()\n"
