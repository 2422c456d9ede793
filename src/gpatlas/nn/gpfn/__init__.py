"""Prior-data fitted networks for genomic prediction: a population in, genetic values of new samples out.

Shapes: B populations, N context rows (genotyped and phenotyped), Q query rows (genotyped), M markers, R fixed effects,
G values of the heritability, E experts, S numbers that summarise a population, C channels, W neighbours of a marker.
"""
