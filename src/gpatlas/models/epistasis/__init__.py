"""Finding pairs of loci that interact: what screening all pairs, testing them and estimating their effects needs."""
