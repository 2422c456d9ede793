# Means and standard deviations over replicates from AlphaSimR, for tests/verification/test_distribution.py.
#
#   Rscript make_distribution.R > distribution.json     # made with AlphaSimR 1.4.2, R 4.2.2
suppressMessages({library(AlphaSimR); library(jsonlite)})
n_rep = 500
set.seed(310)

summarise = function(values) lapply(as.data.frame(values), function(v) list(mean = mean(v), sd = sd(v)))

scaling = lapply(c(0, 0.1, 0.5, 1, 3), function(r) {
  values = t(replicate(n_rep, {
    founder = quickHaplo(nInd = 200, nChr = 1, segSites = 30, ploidy = 1)
    SP = SimParam$new(founder)
    SP$addTraitAE(nQtlPerChr = 30, mean = 0, var = 1, relAA = r, useVarA = FALSE)
    pop = setPheno(newPop(founder, simParam = SP), H2 = 0.999, simParam = SP)
    param = genParam(pop, simParam = SP)
    trait = SP$traits[[1]]
    c(varA_over_varG = param$varA[1] / param$varG[1], varAA_over_varG = param$varAA[1] / param$varG[1],
      meansq_addEff = mean(trait@addEff^2), meansq_epiEff = mean(trait@epiEff[, 3]^2), varP = varP(pop)[1],
      intercept = trait@intercept)
  }))
  list(relAA = r, values = summarise(values))
})

pleiotropy = lapply(c(0.25, 0.5, 0.95), function(cor) {
  pairs_mean = function(m) mean(cor(m)[upper.tri(diag(4))])
  values = t(replicate(n_rep, {
    founder = quickHaplo(nInd = 500, nChr = 1, segSites = 100, ploidy = 1)
    SP = SimParam$new(founder)
    G = (1 - cor) * diag(4) + cor
    SP$addTraitAE(nQtlPerChr = 100, mean = rep(0, 4), var = rep(1, 4), relAA = rep(1, 4), useVarA = FALSE, corA = G,
                  corAA = G)
    pop = newPop(founder, simParam = SP)
    param = genParam(pop, simParam = SP)
    additive = sapply(SP$traits, function(t) t@addEff)
    epistatic = sapply(SP$traits, function(t) t@epiEff[, 3])
    pairs = function(m) { r = stats::cor(m); mean(r[upper.tri(r)]) }
    c(gv = pairs(pop@gv), addEff = pairs(additive), epiEff = pairs(epistatic), bv = pairs(param$bv), aa = pairs(param$aa))
  }))
  list(cor = cor, values = summarise(values))
})

cat(toJSON(list(alphasimr = as.character(packageVersion("AlphaSimR")), n_rep = n_rep, scaling = scaling,
                pleiotropy = pleiotropy), auto_unbox = TRUE, digits = 8, pretty = TRUE), "\n")
