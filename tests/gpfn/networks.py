"""A tiny network in which nothing is left at zero, so that whatever it is given shows in what it predicts."""

from pathlib import Path

from gpatlas.io.checkpoints import Checkpoint, write_checkpoint


def write_network(path: Path) -> str:
    import torch

    from gpatlas.nn.gpfn.networks import make_network
    from gpatlas.nn.weights import state_of

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = make_network("awg", n_rounds=1, channels=4, hidden=4)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn(parameter.shape)
            network.gain.abs_()
    write_checkpoint(Checkpoint(state_of(network), {"network": network.settings}), path)
    return str(path)
