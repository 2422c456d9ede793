"""Attention of queries to keys: against loops, masks, cost, what it refuses."""

import numpy as np
import pytest
import torch

from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver.attention import Attention, AttentionLayer


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def by_loops(layer: Attention, x, y, allowed=None):
    """Vaswani et al. (2017), equation 1, a head and a query at a time."""
    with torch.no_grad():
        norm = layer.before_keys or layer.before
        q, k, v = layer.query(layer.before(x)).numpy(), layer.key(norm(y)).numpy(), layer.value(norm(y)).numpy()
        out = np.zeros((*q.shape[:2], v.shape[2]))
        e, w = q.shape[2] // layer.n_heads, v.shape[2] // layer.n_heads
        for b, h, i in np.ndindex(len(q), layer.n_heads, q.shape[1]):
            score = k[b, :, h * e : (h + 1) * e] @ q[b, i, h * e : (h + 1) * e] / np.sqrt(e)
            if allowed is not None:
                score = np.where(allowed[i].numpy(), score, -np.inf)
            share = np.exp(score - score.max())
            out[b, i, h * w : (h + 1) * w] = share / share.sum() @ v[b, :, h * w : (h + 1) * w]
        out = torch.from_numpy(out)
        return out if layer.out is None else layer.out(out)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"n_heads": 2},
        {"n_heads": 3, "head_width": 5, "value_width": 4},
        {"key_width": 7},
        {"key_width": 7, "n_heads": 2, "head_width": 5},
        {"key_width": 7, "head_width": 2, "value_width": 6},
    ],
)
@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_that_of_loops(settings, masked):
    layer = Attention(6, **settings).double()
    x = random(2, 3, 6)
    y = random(2, 5, settings["key_width"], seed=1) if "key_width" in settings else x
    allowed = None
    if masked:
        allowed = torch.rand(3, y.shape[1], generator=torch.Generator().manual_seed(3)) < 0.6
        allowed[:, 0] = True
    keys = layer.keys(y) if "key_width" in settings else None
    torch.testing.assert_close(layer(x, keys, allowed), by_loops(layer, x, y, allowed))


def test_a_query_sees_allowed_keys_alone():
    layer, x, y = AttentionLayer(6, 8, key_width=6, n_heads=2).double(), random(1, 2, 6), random(1, 4, 6, seed=1)
    allowed = torch.tensor([[True, True, False, False], [True, True, True, True]])
    before = layer(x, layer.keys(y), allowed)
    y[:, 2:] = y[:, 2:].flip(2)
    after = layer(x, layer.keys(y), allowed)
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.equal(before[:, 1], after[:, 1])


def test_one_head_has_no_map_behind_its_values():
    assert Attention(6, key_width=4, head_width=3, value_width=6).out is None
    assert Attention(6, key_width=4, n_heads=2).out is not None


def test_dropout_is_of_training_alone():
    layer, x = AttentionLayer(8, 8, n_heads=2, dropout=0.5), torch.randn(2, 5, 8)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_heads_must_share_the_width():
    with pytest.raises(ConfigError, match="width 10 is no multiple of the number of heads 4"):
        Attention(10, n_heads=4)
