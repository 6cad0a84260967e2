"""`profile`: the information of every layer about tokens or classes, in one pass and constant memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

from infoflow.core import distributed
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.profiles.labels import Codes, Labels
from infoflow.profiles.profiler import Profiler
from infoflow.profiles.quantities import Make, Unembedding
from infoflow.profiles.result import Profile


@validated
def profile(
    model: nn.Module,
    batches: Iterable[Any],
    labels: Labels = ("current", "next"),
    layers: str | Sequence[str] = "auto",
    quantities: str | Sequence[str] | Mapping[str, Make] = "default",
    *,
    codes: Codes | None = None,
    max_codes: PositiveInt = 512,
    seed: Seed = 0,
    unembedding: Unembedding | None = None,
    group: distributed.Group = None,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: PositiveInt = 100,
) -> Profile:
    """Measure what every layer of a network holds about tokens or classes, in one pass and constant memory.

    Parameters
    ----------
    model : torch.nn.Module
        The network, in any precision and on any devices.
    batches
        Batches that can be run through twice, as a list or a DataLoader: mappings as tokenizers return them, tensors of
        token ids or features, or pairs (inputs, labels). Positions that `attention_mask` or `special_tokens_mask` leave
        out are not measured.
    labels
        Labels of tokens: "current", "next", or functions of token ids (b, L) that return integers (b, L), by name.
        Labels that come with the batches are measured as "class".
    layers
        A group of points or names of modules, as `infoflow.profiles.points` takes them.
    quantities
        "default" (soft entropy and the spectrum of the covariance), "all" that apply, names of quantities, or functions
        that make an accumulator for activations of d dimensions, by name. The others are "prompt-entropy" and
        "curvature" of sequences, "views" (LiDAR, DiME and InfoNCE between prompts of which 15 % of the tokens are
        replaced, at two more forward passes), "probe" and "gaussian" of each label set, and "logit-lens".
    codes
        Codes of the tokens from another profile, so that both compare. By default the most frequent tokens have a code
        each and all others one together.
    max_codes
        Largest number of codes; fewer are used where there are fewer than 100 rows per code.
    seed
        Seed of the references of soft entropy, of samples and of shuffled labels.
    unembedding
        Function from activations (n, d) to logits, for the logit lens; that of a causal model of transformers is found.
    group : torch.distributed.ProcessGroup or None
        Processes that share the batches in turns, where each is passed the same batches; all return the same table.
    checkpoint
        File to which what was accumulated is saved, and from which an interrupted profile continues to the same table;
        it is deleted at the end.
    save_every
        Batches between two savings.

    Returns
    -------
    Profile
        The table, with figure and page.

    Raises
    ------
    InvalidArgument
        If there is no batch, a batch has a shape that does not fit, the model cannot run on it, or a layer returns no
        rows; `UnknownName` for an unknown layer, label or quantity.
    BrokenStore
        If the checkpoint is damaged.

    Notes
    -----
    Soft entropy is a lower bound of the information in population and biased upward in samples; the table holds the
    value that shuffled labels give beside it, and the ceiling of the assignment. A network with a low value can hold
    everything about its tokens in a form that the assignment does not resolve. Quantities of kind "geometric" describe
    the activations and are no information about anything.

    References
    ----------
    Conklin et al. (2026), "Learning is forgetting", ICLR. Skean et al. (2025), "Layer by layer: Uncovering hidden
    representations in language models", ICML.

    Examples
    --------
    >>> import torch
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(80, 4, 64, batch_first=True), 2)
    >>> model = nn.Sequential(nn.Embedding(50, 80), encoder)
    >>> found = profile(model, [torch.randint(50, (8, 32)) for _ in range(4)])
    >>> found.layers
    ['1.layers.0:input', '1.layers.0', '1.layers.1']
    """
    profiler = Profiler(
        model,
        batches,
        labels,
        layers,
        quantities,
        codes=codes,
        max_codes=max_codes,
        seed=seed,
        unembedding=unembedding,
        group=group,
    )
    return profiler.run(checkpoint=checkpoint, save_every=save_every)
