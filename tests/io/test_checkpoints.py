"""Checkpoints: written whole, read back exactly, and refused where they are something else."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from gpatlas.errors import ConfigError, StoreError
from gpatlas.io.checkpoints import Checkpoint, find_checkpoint, read_checkpoint, write_checkpoint
from gpatlas.nn.gpfn.networks import make_network, network_of
from gpatlas.nn.weights import state_of


def test_round_trip(tmp_path, rng):
    arrays = {"b": rng.normal(size=(3, 2)).astype(np.float32), "a": np.arange(4)}
    config = {"network": {"architecture": "awg"}, "trained": {"steps": 7}}
    write_checkpoint(Checkpoint(arrays, config), tmp_path / "one.safetensors")
    turned = [dict(reversed(record.items())) for record in (arrays, config)]
    write_checkpoint(Checkpoint(*turned), tmp_path / "two.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    read = read_checkpoint(find_checkpoint(tmp_path / "one.safetensors"))
    assert read.config == config
    assert read.arrays.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(read.arrays[name], value)


def test_networks_come_back_from_their_arrays():
    network = make_network("awg", n_rounds=1, channels=4, hidden=4, bandwidths=[1.0])
    again = network_of(network.settings, state_of(network))
    assert again.settings == network.settings
    for name, value in state_of(network).items():
        np.testing.assert_array_equal(state_of(again)[name], value)
    with pytest.raises(ConfigError, match="weights do not fit the network"):
        network_of(network.settings | {"channels": 8}, state_of(network))
    with pytest.raises(ConfigError, match="unknown architecture 'agw'; did you mean 'awg'"):
        make_network("agw")
    with pytest.raises(ConfigError, match="unknown setting 'depth'; known are n_rounds, channels"):
        make_network("awg", depth=3)


def test_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(StoreError, match="no such file"):
        read_checkpoint(path)
    path.write_bytes(b"not at all")
    with pytest.raises(StoreError, match="not a file of arrays that gpatlas wrote, or damaged"):
        read_checkpoint(path)
    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(StoreError, match="but gpatlas did not write it"):
        read_checkpoint(path)
    about = {"format": "gpatlas-checkpoint", "format_version": 99}
    save_file({"a": np.zeros(2)}, path, metadata={"gpatlas": json.dumps(about)})
    with pytest.raises(StoreError, match="checkpoint format 99 is newer"):
        read_checkpoint(path)
    with pytest.raises(StoreError, match="checkpoint 'nothing': gpatlas comes with"):
        find_checkpoint("nothing")


def test_cut_short_anywhere(tmp_path):
    path = tmp_path / "x.safetensors"
    write_checkpoint(Checkpoint({"a": np.arange(40.0)}, {"network": {}}), path)
    whole = path.read_bytes()
    for length in (0, 5, 8, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"x\.safetensors: not a file of arrays that gpatlas wrote, or damaged"):
            read_checkpoint(path)


def test_a_folder_does_not_hide_what_comes_with_gpatlas(tmp_path, monkeypatch):
    """`gpatlas gpfn train --out default` makes such a folder."""
    (tmp_path / "default").mkdir()
    monkeypatch.chdir(tmp_path)
    assert read_checkpoint(find_checkpoint("default")).config["network"]["architecture"] == "awg"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": "many"}, "channels 'many' is out of range; 32 is usual"),
        ({"channels": 0}, "channels 0 is out of range"),
        ({"channels": 2.5}, r"channels 2\.5 is out of range"),
        ({"n_rounds": -1}, "n_rounds -1 is out of range"),
        ({"bandwidths": [0.5, 0]}, r"bandwidths \[0\.5, 0\] is out of range"),
        ({"bandwidths": 1.0}, r"bandwidths 1\.0 is out of range"),
        ({"output": 3}, "output 3 is out of range"),
        ({"output": "bars"}, "unknown output 'bars'; did you mean 'bar'"),
        ({"n_buckets": 2}, "n_buckets 2: a bar distribution has 3 or more"),
        ({"architecture": "transformer", "width": 30}, "width 30 is no multiple of n_heads 4"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ConfigError, match=message):
        make_network(**settings)


def test_settings_at_their_limits():
    make_network("awg", n_rounds=0, channels=1, hidden=1, bandwidths=[], last_bandwidths=(1,), n_buckets=3)
