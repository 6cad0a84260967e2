"""Models that transformers saved to a local folder; nothing is downloaded and nothing is unpickled unasked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.profiles.texts import Tokenize


def load(folder: str | os.PathLike[str], *, pickled: bool = False) -> tuple[nn.Module, Tokenize]:
    """Load a model and its tokenizer from a folder that `save_pretrained` wrote.

    Parameters
    ----------
    folder
        The folder.
    pickled
        Whether weights that are not in safetensors files are accepted; loading them can run code that they contain.

    Returns
    -------
    tuple of Module and function
        The model without its head, and a function from a text to its token ids.

    Raises
    ------
    InvalidArgument
        If the folder holds no model, no safetensors weights, or no tokenizer.
    MissingExtra
        If transformers is not installed.
    """
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise MissingExtra("transformers", "transformers", "pretrained models") from None
    source = Path(folder)
    if not (source / "config.json").is_file():
        raise InvalidArgument("model", "a folder with config.json and weights, as save_pretrained writes", str(source))
    if not any(source.glob("*.safetensors")) and not pickled:
        weights = sorted(path.name for path in source.glob("*.bin"))
        got = f"{', '.join(weights) or 'no weights'} in {source}"
        remedy = "Loading pickled weights can run code; allow it if you trust their source." if weights else ""
        raise InvalidArgument("weights of the model", "safetensors", got_text=got, remedy=remedy)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = AutoModel.from_pretrained(str(source), use_safetensors=None if pickled else True, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InvalidArgument(f"the model in {source} cannot be loaded: {' '.join(str(error).split())}") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(source), **options)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InvalidArgument(f"{source} holds no tokenizer: {' '.join(str(error).split())}") from error

    def tokenize(text: str) -> Sequence[int]:
        ids: Sequence[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    return model, tokenize
