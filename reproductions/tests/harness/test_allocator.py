"""The allocator of processes that train."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource
import torch
from infoflow_reproductions.harness.allocator import keep_freed_memory

def faults():
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.empty(8_000_000).fill_(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun

before = faults()
kept = keep_freed_memory()
faults()
print(before, faults(), kept)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is that of glibc")
def test_a_block_that_is_freed_and_allocated_again_needs_no_new_pages() -> None:
    # In a process of its own, since the setting stays.
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    before, after, kept = done.stdout.split()
    assert kept == "True"
    assert int(after) < int(before) / 10
