"""The windowed perceiver: shapes and gradients for all calls, against loops, and what it cannot see."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gpatlas.alleles import decoder
from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver import Layout, make_network, network_of
from gpatlas.nn.weights import state_of
from tests.nn.perceiver.panels import calls, loci, panel

SMALL = {"window": 3, "flank": 2, "hidden": 10, "width": 8, "n_heads": 2, "n_global": 2, "pair_width": 4, "block": 2}
FORMS = [{}, {"n_global": 0}, {"n_layers": 2}, {"n_layers": 0}, {"flank": 0, "window": 50}, {"block": 50}]


def network(layout=None, seed=1, **settings):
    torch.manual_seed(seed)
    return make_network(layout or panel(), "windowed", **SMALL | settings)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_is_kept_is_the_network(form):
    net, codes = network(**form).eval(), calls(panel())
    again = network_of(net.settings, net.layout, state_of(net))
    assert again.settings == net.settings
    assert torch.equal(again.copies(codes, loci()), net.copies(codes, loci()))
    assert torch.equal(again.shared(codes, codes.flip(0), loci()), net.shared(codes, codes.flip(0), loci()))
    assert not any(name.startswith(("shown", "slot", "blocks", "copies_of")) for name in state_of(net))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_individuals_do_not_see_each_other(form):
    net, codes, asked = network(**form).double().eval(), calls(panel(), n=6), loci(6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(net.copies(codes[order], asked[order]), net.copies(codes, asked)[order])


@pytest.mark.parametrize(("ploidy", "n_alleles"), [(1, 2), (2, 2), (4, 3)])
def test_a_window_is_what_a_loop_makes_of_it(ploidy, n_alleles):
    layout = panel(ploidy, n_alleles)
    net, codes = network(layout, n_layers=0, n_global=0).double().eval(), calls(layout)
    copies = decoder(ploidy, n_alleles)[codes.numpy()] / ploidy
    latents = net.encode(codes)
    for i in range(len(codes)):
        for w in range(len(net.windows)):
            hidden = net.hidden_bias[w, 0].clone()
            for place, marker in enumerate(net.windows.shown[w]):
                for allele in range(n_alleles):
                    if marker < layout.n_loci:
                        hidden += copies[i, marker, allele] * net.allele_vectors[w, place * n_alleles + allele]
            token = net.window_vectors[w, 0] + F.gelu(hidden) @ net.to_latent[w]
            torch.testing.assert_close(latents[i, w], net.norm(token))


def test_a_marker_is_read_from_its_own_window():
    layout = panel(2, 3)
    net, codes = network(layout).double().eval(), calls(layout)
    z, everywhere = net.encode(codes), torch.arange(layout.n_loci).expand(len(codes), -1)
    logits = net.copies(codes, everywhere)
    for marker in range(layout.n_loci):
        w = next(k for k, (a, b, _) in enumerate(net.windows.bounds) if a <= marker < b)
        weights = net.read_copies[w].unflatten(-1, (3, 3, 2))[:, marker - net.windows.bounds[w, 0]]
        bias = net.copies_bias[w, 0].unflatten(-1, (3, 3, 2))[marker - net.windows.bounds[w, 0]]
        torch.testing.assert_close(logits[:, marker], torch.einsum("bd,dkp->bkp", z[:, w], weights) + bias)
    asked = loci()
    torch.testing.assert_close(net.copies(codes, asked), logits.gather(1, asked[..., None, None].expand(-1, -1, 3, 2)))


def test_a_missing_call_has_no_allele():
    net, codes = network().double().eval(), calls(panel())
    nothing = torch.zeros_like(codes)
    before = net.encode(nothing)
    with torch.no_grad():
        net.allele_vectors.add_(1.0)
    assert torch.equal(net.encode(nothing), before)
    assert not torch.equal(net.encode(codes), before)


@pytest.mark.parametrize("n_global", [0, 2])
def test_only_global_latents_carry_from_one_chromosome_to_another(n_global):
    net, codes = network(n_layers=2, n_global=n_global).double().eval(), calls(panel())
    changed = codes.clone()
    changed[:, net.layout.number == 0] = torch.where(codes[:, net.layout.number == 0] == 1, 3, 1)
    other = net.windows.bounds[:, 2] != 0
    same = torch.allclose(net.encode(changed)[:, : len(other)][:, other], net.encode(codes)[:, : len(other)][:, other])
    assert same == (n_global == 0)


def test_blocks_attend_as_one_where_all_windows_fit_in_it():
    layout = Layout(2, 2, np.arange(20).astype(str), np.full(20, "1"), np.arange(20.0), "cM")
    net, codes = network(layout, block=50, n_global=0).double().eval(), calls(layout)
    plain = network(layout, n_layers=0, n_global=0).double().eval()
    plain.load_state_dict({k: v for k, v in state_to_tensors(net).items() if k in plain.state_dict()})
    plain.norm = torch.nn.Identity()
    z = plain.encode(codes)
    torch.testing.assert_close(net.encode(codes), net.norm(net.attention[0](z)))


def state_to_tensors(net):
    return {name: torch.from_numpy(value) for name, value in state_of(net).items()}


def test_attention_grows_linearly_with_markers():
    def pairs(n_loci):
        layout = Layout(2, 2, np.arange(n_loci).astype(str), np.full(n_loci, "1"), np.arange(float(n_loci)), "cM")
        return network(layout, block=8).blocks_0.shape

    (few, size), (many, same) = pairs(480), pairs(4800)
    assert (many, same) == (10 * few, size)


def test_read_outs_can_start_from_frequencies():
    layout = panel(2, 3)
    net, codes = network(layout), calls(layout)
    share = torch.rand(layout.n_loci, 3, 2) * 0.9 + 0.05
    with torch.no_grad():
        net.read_copies.zero_()
    net.start_from(share)
    asked = loci()
    torch.testing.assert_close(torch.sigmoid(net.copies(codes, asked)), share[asked])


def test_activations_that_are_computed_again_give_the_same_gradients():
    layout = panel()
    gradients = []
    for again in (False, True):
        net = network(layout, checkpoint_activations=again).double()
        net.copies(calls(layout), loci()).square().sum().backward()
        gradients.append({name: value.grad for name, value in net.named_parameters() if value.grad is not None})
    for name, value in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 10, "n_heads": 4}, "width is 10; it must be a multiple of n_heads, 4"),
        ({"window": 0}, "window is 0; it must be a whole number of at least 1"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"feed_forward": -1}, "feed_forward is -1"),
        ({"wndow": 3}, "unknown setting 'wndow'; did you mean 'window'?"),
    ],
)
def test_impossible_settings_are_one_line(settings, said):
    with pytest.raises(ConfigError) as error:
        network(**settings)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
