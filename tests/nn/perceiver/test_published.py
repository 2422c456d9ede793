"""The published perceiver: shapes and gradients for all calls, sharing of weights, what it refuses."""

import pytest
import torch

from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver import make_network, network_of
from gpatlas.nn.perceiver.encoder import SHARING
from gpatlas.nn.weights import state_of
from tests.nn.perceiver.panels import calls, loci, panel

SMALL = {
    "allele_embed_dim": 8,
    "position_embed_dim": 8,
    "projection_dim": 6,
    "feedforward_dim": 10,
    "latent_dim": 3,
    "output_dim": 12,
    "num_self_attention_heads": 2,
    "num_encode_iters": 3,
}
FORMS = [
    {},
    {"position_embed_kind": "fourier"},
    {"allele_combiner": "concat", "position_embed_dim": 5},
    {"allele_embed_kind": "2"},
    {"allele_embed_kind": 3, "share_weights": False},
    {"num_self_attention": 0, "num_decode_iters": 1},
]


def network(layout=None, seed=1, **settings):
    torch.manual_seed(seed)
    return make_network(layout or panel(), "published", **SMALL | settings)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_form_learns_from_every_weight(form):
    layout = panel(4, 3)
    net, codes = network(layout, **form), calls(layout)
    (net.copies(codes, loci()).square().sum() + net.shared(codes, codes.flip(0), loci()).square().sum()).backward()
    untouched = [name for name, value in net.named_parameters() if value.grad is None or not value.grad.any()]
    assert all(name.endswith("key.bias") for name in untouched), untouched


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_is_kept_is_the_network(form):
    net, codes = network(**form).eval(), calls(panel())
    again = network_of(net.settings, net.layout, state_of(net))
    assert again.settings == net.settings
    assert torch.equal(again.copies(codes, loci()), net.copies(codes, loci()))
    assert torch.equal(again.shared(codes, codes.flip(0), loci()), net.shared(codes, codes.flip(0), loci()))
    assert not any(name.endswith(("table", "number", "frequency")) for name in state_of(net))  # the panel's own


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_individuals_do_not_see_each_other(form):
    net, codes, asked = network(**form).double().eval(), calls(panel(), n=6), loci(6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(net.copies(codes[order], asked[order]), net.copies(codes, asked)[order])
    other = codes.flip(1)
    torch.testing.assert_close(
        net.shared(codes[order], other[order], asked[order]), net.shared(codes, other, asked)[order]
    )
    torch.testing.assert_close(net.encode(codes[:1]), net.encode(codes)[:1])


def test_loci_are_answered_one_by_one():
    net, codes, asked = network().double().eval(), calls(panel()), loci()
    torch.testing.assert_close(net.copies(codes, asked[:, [2]]), net.copies(codes, asked)[:, [2]])


def test_the_order_of_tokens_means_nothing():
    net, codes = network().double().eval(), calls(panel())
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    before = net.encode(codes)
    tokens = net.alleles(codes) + net.positions(torch.arange(12))
    latents = net.latents.expand(len(codes), -1, -1)
    torch.testing.assert_close(net.encoder(latents, tokens[:, order]), before)


def test_a_missing_call_is_not_any_other():
    net, codes, asked = network().eval(), calls(panel(), missing=0), loci()
    masked = codes.clone()
    masked[:, 4] = 0
    assert not torch.equal(net.copies(masked, asked), net.copies(codes, asked))


@pytest.mark.parametrize(
    ("scheme", "n_cross", "n_blocks"),
    [
        (True, 1, 1),
        ("xa_only", 1, 3),
        ("sa_only", 3, 1),
        ("after_first", 2, 1),
        ("after_first_xa", 2, 2),
        (False, 3, 3),
    ],
)
def test_which_iterations_share_their_weights(scheme, n_cross, n_blocks):
    net = network(share_weights=scheme)
    tokens, projection, hidden, width, heads = 8, 6, 10, 12, 2
    norm, feed_forward = 2 * width, 2 * width + width * hidden + hidden + hidden * width + width
    one_cross = norm + 2 * tokens + (width + 1) * projection + (tokens + 1) * (projection + width) + feed_forward
    in_heads = (width + 1) * heads * (2 * projection + width) + (heads * width + 1) * width
    expected = n_cross * one_cross + n_blocks * 2 * (norm + in_heads + feed_forward)
    assert sum(value.numel() for value in net.encoder.parameters()) == expected
    used = []
    for name, module in net.encoder.named_modules():
        if name.count(".") in (1, 2) and hasattr(module, "attention"):
            module.register_forward_hook(lambda *_, name=name: used.append(name))
    net.encode(calls(panel()))
    cross, blocks = used[::3], list(zip(used[1::3], used[2::3], strict=True))
    pattern = {  # the letters of three iterations: which have the same weights
        True: ("aaa", "aaa"),
        "xa_only": ("aaa", "abc"),
        "sa_only": ("abc", "aaa"),
        "after_first": ("abb", "aaa"),
        "after_first_xa": ("abb", "abb"),
        False: ("abc", "abc"),
    }[scheme]
    assert (letters(cross), letters(blocks)) == pattern
    assert len(set(used)) == n_cross + 2 * n_blocks


def letters(seen):
    first = list(dict.fromkeys(seen))
    return "".join("abc"[first.index(one)] for one in seen)


def test_every_published_scheme_is_there():
    assert set(SHARING) == {True, False, "xa_only", "sa_only", "after_first", "after_first_xa"}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients_are_the_same_when_activations_are_computed_again(dropout):
    gradients = []
    for again in (False, True):
        net = network(checkpoint_activations=again, dropout=dropout, share_weights="after_first")
        torch.manual_seed(5)
        net.copies(calls(panel()), loci()).square().sum().backward()
        gradients.append({name: value.grad for name, value in net.named_parameters() if value.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, kept in gradients[0].items():
        assert torch.equal(kept, gradients[1][name]), name


def test_fewer_activations_are_kept_when_they_are_computed_again():
    kept = []
    for again in (False, True):
        net, total = network(checkpoint_activations=again), 0

        def pack(value):
            nonlocal total
            total += value.numel()
            return value

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            net.encode(calls(panel(), n=16))
        kept.append(total)
    assert kept[1] < 0.5 * kept[0]


def test_bf16():
    net, codes, asked = network().eval(), calls(panel()), loci()
    with torch.autocast("cpu", torch.bfloat16):
        half = net.copies(codes, asked)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), net.copies(codes, asked), atol=0.1, rtol=0.05)
    half.float().square().sum().backward()
    assert all(torch.isfinite(value.grad).all() for value in net.parameters() if value.grad is not None)


@pytest.mark.parametrize("objective", ["copies", "shared"])
def test_it_learns_more_than_how_frequent_alleles_are(objective):
    layout = panel(n_loci=6)
    net = network(layout, dropout=0.0, position_embed_kind="fourier")
    codes = calls(layout, n=24, missing=0)
    other, asked = codes.roll(1, 0), torch.zeros(24, 1, dtype=torch.int64)
    one, two = codes[:, :1] - 1, other[:, :1] - 1
    counted = one if objective == "copies" else torch.minimum(one, two) + torch.minimum(2 - one, 2 - two)
    target = (counted[..., None] >= torch.tensor([1, 2])).float()
    often = target.mean(0).clamp(1e-6, 1 - 1e-6).expand_as(target)
    frequency_alone = torch.nn.functional.binary_cross_entropy(often, target).item()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(300):
        logits = net.copies(codes, asked)[:, :, 1] if objective == "copies" else net.shared(codes, other, asked)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.8 * frequency_alone


def test_two_thousand_markers():
    layout = panel(4, 2, n_loci=2_000, n_chromosomes=10)
    net = make_network(layout, "published", latent_dim=50, output_dim=96, allele_embed_dim=96, position_embed_dim=96)
    with torch.no_grad():
        logits = net.eval().copies(calls(layout, n=8), loci(8, 200, 2_000))
    assert logits.shape == (8, 200, 2, 4)
    assert torch.isfinite(logits).all()


def test_the_defaults_are_the_published_ones():
    net = make_network(panel(), "published")
    assert net.latents.shape == (256, 512)
    assert net.width == 512
    assert len(net.encoder.schedule) == 4
    assert net.settings == {
        "architecture": "published",
        "allele_embed_kind": "1",
        "allele_embed_dim": 256,
        "allele_combiner": "add",
        "position_embed_kind": "random",
        "position_embed_dim": 256,
        "position_embed_trainable": True,
        "share_weights": True,
        "projection_dim": 256,
        "feedforward_dim": 512,
        "latent_dim": 256,
        "output_dim": 512,
        "num_self_attention_heads": 4,
        "num_self_attention": 2,
        "num_encode_iters": 4,
        "num_decode_iters": 2,
        "dropout": 0.1,
        "checkpoint_activations": False,
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"share_weights": "xa"}, "share_weights is 'xa'; allowed are true, xa_only, sa_only, after_first, "),
        ({"share_weights": 1}, "share_weights is 1; allowed are true, "),
        ({"latent_dim": 0}, "latent_dim is 0; it must be a whole number of at least 1"),
        ({"output_dim": 1.5}, "output_dim is 1.5; it must be a whole number of at least 1"),
        ({"num_self_attention": -1}, "num_self_attention is -1; it must be a whole number of at least 0"),
        ({"dropout": 1.0}, "dropout is 1.0; it must be a number from 0 to less than 1"),
        ({"allele_embed_kind": "4"}, "allele_embed_kind is '4'; allowed are 1, 2, 3"),
        ({"position_embed_kind": "learned"}, "position_embed_kind is 'learned'; allowed are random, fourier"),
        ({"checkpoint_activations": "yes"}, "checkpoint_activations is 'yes'; allowed are true, false"),
        ({"position_embed_dim": 6}, "allele_embed_dim is 8 and position_embed_dim 6; to be added they must be equal"),
        ({"latent_dims": 6}, "unknown setting 'latent_dims'; did you mean 'latent_dim'?"),
    ],
)
def test_what_it_refuses(settings, said):
    with pytest.raises(ConfigError) as error:
        network(**settings)
    assert said in str(error.value)
    assert str(error.value).startswith("architecture published: ")
    assert "\n" not in str(error.value)
