"""Begin a recording at a location, or continue the one that is there."""

from __future__ import annotations

from collections.abc import Mapping

from infoflow.core.errors import InvalidArgument
from infoflow.plane.array_files import Array
from infoflow.plane.store import Header, RecordingStore


def begin(
    store: RecordingStore,
    header: Header,
    probes: Mapping[str, tuple[Array, Array]],
    *,
    resume: bool,
    overwrite: bool,
    discard_damaged: bool,
) -> None:
    """Create the recording in an open store and lock it, or load the one to resume.

    Parameters
    ----------
    store
        Store at the location of the recording.
    header
        What is recorded.
    probes
        Inputs and classes by the probe's name.
    resume
        As in `infoflow.plane.record`.
    overwrite
        As in `infoflow.plane.record`.
    discard_damaged
        As in `infoflow.plane.record`.

    Raises
    ------
    InvalidArgument
        If the location holds something else, or a recording that is neither resumed nor overwritten or that differs.
    BrokenStore
        If an existing recording cannot be read, or another process is writing it.

    Examples
    --------
    >>> import numpy as np
    >>> from zarr.storage import MemoryStore
    >>> from infoflow.plane.array_files import digest
    >>> from infoflow.plane.store import ProbeFacts
    >>> x, y = np.eye(2), np.array([0, 1])
    >>> header = Header("net", ["1"], [0], {"probe": ProbeFacts(2, digest(x, y))}, "flatten", False, True, {})
    >>> store = RecordingStore(MemoryStore(), read_only=False)
    >>> begin(store, header, {"probe": (x, y)}, resume=False, overwrite=False, discard_damaged=False)
    >>> store.state()
    'complete'
    """
    state = store.state()
    if state == "foreign":
        raise InvalidArgument("store", "a new folder, or a recording", got_text=f"{store.name!r} with other content")
    if state != "absent" and not resume and not overwrite:
        kind = {"interrupted": "an interrupted", "damaged": "a damaged"}.get(state, "a")
        raise InvalidArgument(
            "store",
            "a new folder",
            got_text=f"{store.name!r}, which holds {kind} recording",
            remedy="Pass resume=True to continue it or overwrite=True to delete it.",
        )
    store.lock.acquire()
    try:
        if state in ("complete", "damaged") and resume:
            store.load()
            _check_same(store, header)
            store.tidy(discard_damaged=discard_damaged)
        else:
            store.create(header, probes)
    except BaseException:
        store.lock.release()
        raise


def _check_same(store: RecordingStore, header: Header) -> None:
    """Raise InvalidArgument where a resumed recording would differ from the stored one."""
    was, now = (each.provenance.get("precision", "model") for each in (store.header, header))
    if was != now:
        raise InvalidArgument("precision", f"{was!r} as in the recording {store.name!r}", now)
    for what in ("layers", "seeds", "probes", "maps", "stacked"):
        was, now = getattr(store.header, what), getattr(header, what)
        if was == now:
            continue
        if what == "probes" and set(was) == set(now):
            changed = ", ".join(repr(key) for key in now if was[key] != now[key])
            raise InvalidArgument(f"{store.name!r} was recorded on other samples of probe {changed}.")
        was, now = (list(was), list(now)) if what == "probes" else (was, now)
        raise InvalidArgument(what, f"{was} as in the recording {store.name!r}", got_text=str(now))
