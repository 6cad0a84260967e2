"""A small language model: a causal transformer whose blocks are modules of their own."""

from __future__ import annotations

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.models.seeded import seeded


class DecoderBlock(nn.Module):
    """Causal self-attention and a perceptron, each normalized before and added to the residual stream.

    Parameters
    ----------
    width
        Dimensions d of the residual stream.
    heads
        Number of heads.

    Examples
    --------
    >>> import torch
    >>> DecoderBlock(8, 2)(torch.zeros(1, 5, 8)).shape
    torch.Size([1, 5, 8])
    """

    @validated
    def __init__(self, width: PositiveInt, heads: PositiveInt) -> None:
        super().__init__()
        if width % heads:
            raise InvalidArgument("heads", f"a divisor of the width ({width})", heads)
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the residual stream after the block.

        Parameters
        ----------
        x : Tensor of shape (B, L, d)
            The residual stream before it.

        Returns
        -------
        Tensor of shape (B, L, d)
            The sum.
        """
        batch, length, width = x.shape
        split = self.qkv(self.before_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.project(mixed.transpose(1, 2).reshape(batch, length, width))
        added: Tensor = x + self.mlp(x)
        return added


class Decoder(nn.Module):
    """A causal language model: embeddings of tokens and positions, blocks, and an unembedding.

    Parameters
    ----------
    vocabulary
        Number V of tokens.
    width
        Dimensions d of the residual stream.
    depth
        Number of blocks.
    heads
        Number of heads of each block.
    length
        Longest sequence.
    seed
        Seed of the initial weights; torch's random state remains as it is.

    Notes
    -----
    `model(ids)` of shape (B, L) returns logits (B, L, V). Weights are drawn with standard deviation 0.02, those that
    end a branch with 0.02/√(2·depth), as GPT-2 has them.

    References
    ----------
    Radford et al. (2019), Language models are unsupervised multitask learners.

    Examples
    --------
    >>> import torch
    >>> Decoder(50, width=16, depth=2, heads=2, length=12)(torch.zeros(3, 7, dtype=torch.int64)).shape
    torch.Size([3, 7, 50])
    """

    @validated
    def __init__(
        self,
        vocabulary: PositiveInt,
        *,
        width: PositiveInt = 128,
        depth: PositiveInt = 4,
        heads: PositiveInt = 4,
        length: PositiveInt = 128,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        self.length = length
        with seeded(seed):
            self.tokens = nn.Embedding(vocabulary, width)
            self.positions = nn.Embedding(length, width)
            self.blocks = nn.ModuleList(DecoderBlock(width, heads) for _ in range(depth))
            self.norm = nn.LayerNorm(width)
            self.unembed = nn.Linear(width, vocabulary, bias=False)
            for name, parameter in self.named_parameters():
                if parameter.ndim == 2:
                    last = name.endswith(("project.weight", "mlp.3.weight"))
                    nn.init.normal_(parameter, std=0.02 / (2 * depth) ** 0.5 if last else 0.02)
                elif name.endswith("bias"):
                    nn.init.zeros_(parameter)

    def hidden(self, input_ids: Tensor) -> list[Tensor]:
        """Return the residual stream before the first block and after each.

        Parameters
        ----------
        input_ids : integer Tensor of shape (B, L)
            Tokens.

        Returns
        -------
        list of Tensor of shape (B, L, d)
            One more than there are blocks.
        """
        if input_ids.shape[1] > self.length:
            raise InvalidArgument("input_ids", f"at most {self.length} tokens long", int(input_ids.shape[1]))
        x = self.tokens(input_ids) + self.positions.weight[: input_ids.shape[1]]
        found = [x]
        for block in self.blocks:
            found.append(block(found[-1]))
        return found

    def logits(self, hidden: Tensor) -> Tensor:
        """Return what the unembedding reads from the residual stream of any layer.

        Parameters
        ----------
        hidden : Tensor of shape (..., d)
            The residual stream.

        Returns
        -------
        Tensor of shape (..., V)
            Logits of the next token.
        """
        found: Tensor = self.unembed(self.norm(hidden))
        return found

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the logits of the next token at every position.

        Parameters
        ----------
        input_ids : integer Tensor of shape (B, L)
            Tokens.
        attention_mask
            Ignored: padding at the end of a sequence has no effect on what precedes it.

        Returns
        -------
        Tensor of shape (B, L, V)
            Logits.
        """
        return self.logits(self.hidden(input_ids)[-1])
