"""Attention of queries to keys, and the layer made of it: what every perceiver is built from.

Shapes: B batch, Q queries, N keys, D width of a query, C width of a key, H heads, E channels of a head.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.errors import ConfigError

Keys = tuple[Tensor, Tensor]  # keys (B, H, N, E) and the values beside them (B, H, N, V)

_EPSILON = 1e-6


class Attention(nn.Module):
    """What queries take from keys, in H heads (Vaswani et al. 2017, equation 1); both are normalised first.

    Time and memory grow with Q × N: with few queries, linearly in the number of keys.

    Parameters
    ----------
    width
        D, of queries and of what they are given.
    key_width
        C; None where keys are the queries themselves, which then are normalised once.
    n_heads
        H.
    head_width, value_width
        E and V, channels of a head's keys and values; by default D / H, and E.
    dropout
        Share of attention that is dropped in training.

    Raises
    ------
    ConfigError
        No `head_width` is given, and the width is no multiple of the number of heads.
    """

    def __init__(
        self,
        width: int,
        key_width: int | None = None,
        n_heads: int = 1,
        head_width: int | None = None,
        value_width: int | None = None,
        dropout: float = 0.0,
    ):
        super().__init__()
        if head_width is None:
            if width % n_heads:
                raise ConfigError(f"width {width} is no multiple of the number of heads {n_heads}")
            head_width = width // n_heads
        value_width = head_width if value_width is None else value_width
        self.n_heads, self.dropout = n_heads, dropout
        self.before = nn.LayerNorm(width, eps=_EPSILON)
        self.before_keys = None if key_width is None else nn.LayerNorm(key_width, eps=_EPSILON)
        key_width = width if key_width is None else key_width
        self.query = nn.Linear(width, n_heads * head_width)
        self.key = nn.Linear(key_width, n_heads * head_width)
        self.value = nn.Linear(key_width, n_heads * value_width)
        # one head whose values are as wide as queries needs no map behind it: that of the values is one already
        self.out = None if n_heads * value_width == width and n_heads == 1 else nn.Linear(n_heads * value_width, width)

    def keys(self, y_BNC: Tensor) -> Keys:
        """Return what queries attend to. It serves any number of queries, at any time."""
        y_BNC = (self.before_keys or self.before)(y_BNC)
        return self._heads(self.key(y_BNC)), self._heads(self.value(y_BNC))

    def forward(self, x_BQD: Tensor, keys: Keys | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return what is added to the queries, `(B, Q, D)`.

        Parameters
        ----------
        x_BQD
            Queries.
        keys
            What `keys` returned; None: the queries attend to each other.
        allowed
            Which query may attend to which key: bool, broadcast to `(B, H, Q, N)`, at least one key a query.
        """
        query = self._heads(self.query(self.before(x_BQD)))
        key, value = self.keys(x_BQD) if keys is None else keys
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=dropout)
        mixed = mixed.transpose(1, 2).flatten(2)
        return mixed if self.out is None else self.out(mixed)

    def _heads(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    """What each token is given by itself: a norm, then a hidden layer of GELUs (Hendrycks & Gimpel 2016)."""

    def __init__(self, width: int, hidden: int):
        super().__init__(
            nn.LayerNorm(width, eps=_EPSILON), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )


class AttentionLayer(nn.Module):
    """Attention, then a hidden layer; both see normalised tokens and add to them (Xiong et al. 2020).

    Parameters
    ----------
    width, hidden
        D, and the width of the hidden layer.
    attention
        Keyword arguments of `Attention`.
    """

    def __init__(self, width: int, hidden: int, **attention: Any):
        super().__init__()
        self.attention = Attention(width, **attention)
        self.hidden = FeedForward(width, hidden)

    def keys(self, y_BNC: Tensor) -> Keys:
        """Return what queries attend to."""
        return self.attention.keys(y_BNC)

    def forward(self, x_BQD: Tensor, keys: Keys | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return tokens `(B, Q, D)`; the arguments are those of `Attention`."""
        x_BQD = x_BQD + self.attention(x_BQD, keys, allowed)
        return x_BQD + self.hidden(x_BQD)
