"""The C library's allocator in processes that train networks."""

from __future__ import annotations

import ctypes
import platform

# Parameters of glibc's mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 2**31 - 1
# The largest threshold for blocks of their own that older versions of glibc accept.
_LARGEST_OLD = 2**25


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees, instead of returning it to the system.

    Every training step allocates and frees the same activations. By default glibc returns large blocks to the system
    and gets them again as new pages, which cost about a tenth of a step of ShuffleNetV2 on a processor.

    Returns
    -------
    bool
        Whether the allocator accepted it; False without glibc, where nothing changes.

    Examples
    --------
    >>> keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    True
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    accepted = any(library.mallopt(_MMAP_THRESHOLD, size) for size in (_LARGEST, _LARGEST_OLD))
    return accepted and bool(library.mallopt(_TRIM_THRESHOLD, _LARGEST))
