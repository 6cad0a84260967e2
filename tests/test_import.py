"""What a plain import loads."""

from __future__ import annotations

import subprocess
import sys


def test_the_import_loads_nothing_heavy() -> None:
    program = (
        "import sys, infoflow; "
        "print([name for name in ('torch', 'scipy', 'pandas', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
