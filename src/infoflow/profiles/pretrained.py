"""Models that transformers saved to a local folder; nothing is downloaded and nothing is unpickled unasked."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.profiles.texts import Tokenize

_STEP = re.compile(r"(?:checkpoint|step)[-_]?(\d+)(?!\d)")


def load(
    folder: str | os.PathLike[str], *, pickled: bool = False, head: bool = False, tokenizer: Path | None = None
) -> tuple[nn.Module, Tokenize]:
    """Load a model and its tokenizer from a folder that `save_pretrained` wrote.

    Parameters
    ----------
    folder
        The folder.
    pickled
        Whether weights that are not in safetensors files are accepted; loading them can run code that they contain.
    head
        Whether the unembedding of a causal language model belongs to it, as the logit lens requires.
    tokenizer
        Another folder that holds the tokenizer where this one has none.

    Returns
    -------
    tuple of Module and function
        The model, and a function from a text to its token ids.

    Raises
    ------
    InvalidArgument
        If the folder holds no model, no safetensors weights, or no tokenizer.
    MissingExtra
        If transformers is not installed.
    """
    try:
        from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise MissingExtra("transformers", "transformers", "pretrained models") from None
    source = Path(folder)
    _require_weights(source, pickled)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(str(source), **options)
        causal = head and type(config) in AutoModelForCausalLM._model_mapping
        kind = AutoModelForCausalLM if causal else AutoModel
        model = kind.from_pretrained(str(source), use_safetensors=None if pickled else True, **options)
    except Exception as error:  # damaged files make transformers raise almost anything
        raise InvalidArgument(f"the model in {source} cannot be loaded: {' '.join(str(error).split())}") from error
    place = source if tokenizer is None or any(source.glob("tokenizer*")) else tokenizer
    try:
        found = AutoTokenizer.from_pretrained(str(place), **options)
    except Exception as error:  # as above
        raise InvalidArgument(f"{place} holds no tokenizer: {' '.join(str(error).split())}") from error

    def tokenize(text: str) -> Sequence[int]:
        ids: Sequence[int] = found(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    return model, tokenize


def checkpoints(folder: str | os.PathLike[str]) -> dict[int, Path]:
    """Find the checkpoints of a training in a folder: `checkpoint-STEP`, as the Trainer names them, or `stepSTEP`.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    dict of int to Path
        Folders by step, in order of the steps.

    Raises
    ------
    InvalidArgument
        If two folders are of the same step.
    """
    found: dict[int, Path] = {}
    for path in sorted(Path(folder).glob("*/config.json")):
        match = _STEP.match(path.parent.name)
        if match is None:
            continue
        step = int(match[1])
        if step in found:
            raise InvalidArgument("model", "a folder with one checkpoint a step", str(folder))
        found[step] = path.parent
    return dict(sorted(found.items()))


def _require_weights(source: Path, pickled: bool) -> None:
    """Raise InvalidArgument where a folder holds no configuration, or no weights of an accepted format."""
    if not (source / "config.json").is_file():
        remedy = "A folder of checkpoints has them in folders checkpoint-STEP."
        wanted = "a folder with config.json and weights, as save_pretrained writes"
        raise InvalidArgument("model", wanted, str(source), remedy=remedy)
    if not any(source.glob("*.safetensors")) and not pickled:
        weights = sorted(path.name for path in source.glob("*.bin"))
        got = f"{', '.join(weights) or 'no weights'} in {source}"
        remedy = "Loading pickled weights can run code; allow it if you trust their source." if weights else ""
        raise InvalidArgument("weights of the model", "safetensors", got_text=got, remedy=remedy)
