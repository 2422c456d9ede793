"""What the published pipeline does, written anew from its description, as the other side of comparisons.

Its cost comes from its shape, which is kept: text tables parsed token by token, one HDF5 group per individual with
gzip, a data loader that opens a group per sample, RidgeCV for every trait and split, unfused AdamW.
"""

import time
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

PENALTIES = np.logspace(-5, 5, 100)


def prepare_hdf5(stem: Path) -> None:
    """Text tables to two HDF5 files, one group per individual with a one-hot genotype."""
    pheno = [line.split() for line in stem.with_name(stem.name + "_p.txt").read_text().splitlines()[1:]]
    rows = [line.split() for line in stem.with_name(stem.name + "_g.txt").read_text().splitlines()[1:]]
    one_hot = {"0": [1, 0], "1": [0, 1]}
    n_train = round(len(pheno) * 0.85)
    for part, members in (("train", range(n_train)), ("test", range(n_train, len(pheno)))):
        with h5py.File(stem.with_name(f"{stem.name}_{part}.hdf5"), "w") as file:
            strains = file.create_group("strains")
            for i in members:
                group = strains.create_group(pheno[i][0])
                group.create_dataset("phenotype", data=np.array([float(v) for v in pheno[i][1:]]))
                genotype = np.array([one_hot[row[i + 1]] for row in rows], dtype=np.int8)
                group.create_dataset("genotype", data=genotype, chunks=True, compression="gzip")


def ridge_protocol(x: NDArray, y: NDArray, splits: list) -> tuple[NDArray, NDArray]:
    """RidgeCV for every split and trait: `(penalties, test correlations)`, each `(n_splits, n_traits)`."""
    penalty, r = np.zeros((len(splits), y.shape[1])), np.zeros((len(splits), y.shape[1]))
    for s, split in enumerate(splits):
        mean = x[split.train].mean(axis=0)
        train, test = x[split.train] - mean, x[split.test] - mean
        for trait in split.traits:
            model = RidgeCV(alphas=PENALTIES, store_cv_results=True).fit(train, y[split.train, trait])
            penalty[s, trait] = model.alpha_
            r[s, trait] = np.corrcoef(y[split.test, trait], test @ model.coef_)[0, 1]
    return penalty, r


class PerSampleData(torch.utils.data.Dataset):
    """Opens one HDF5 group for every sample that is asked for."""

    def __init__(self, path: Path):
        self.path, self.file = path, None
        with h5py.File(path) as file:
            self.names = list(file["strains"])

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        if self.file is None:
            self.file = h5py.File(self.path)
        group = self.file["strains"][self.names[k]]
        genotype = torch.tensor(group["genotype"][:], dtype=torch.float32).flatten()
        return torch.tensor(group["phenotype"][:], dtype=torch.float32), genotype


def mlp_epochs(stem: Path, n_epochs: int) -> list[float]:
    """CPU seconds of training epochs of the published network and loop, data loading included."""
    train = PerSampleData(stem.with_name(stem.name + "_train.hdf5"))
    test = PerSampleData(stem.with_name(stem.name + "_test.hdf5"))
    loaders = [torch.utils.data.DataLoader(data, batch_size=128, shuffle=True) for data in (train, test)]
    n_traits, n_features = (len(v) for v in train[0])
    layers: list[torch.nn.Module] = []
    for inputs, outputs in ((n_features, 4096), (4096, 4096)):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.BatchNorm1d(outputs, momentum=0.8)]
        layers += [torch.nn.LeakyReLU(0.01, inplace=True)]
    layers += [torch.nn.Linear(4096, n_traits), torch.nn.BatchNorm1d(n_traits, momentum=0.8)]
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=1e-5)
    seconds = []
    for _ in range(n_epochs):
        start = time.process_time()
        network.train()
        for phenotype, genotype in loaders[0]:
            optimizer.zero_grad()
            torch.nn.functional.l1_loss(network(genotype), phenotype).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for phenotype, genotype in loaders[1]:
                torch.nn.functional.l1_loss(network(genotype), phenotype)
        seconds.append(time.process_time() - start)
    return seconds
