# Golden cases from AlphaSimR for tests/simulate/test_golden.py.
#
#   Rscript make_golden.R OUTDIR        # made with AlphaSimR 1.4.2 (the published study's version), R 4.2.2
#
# Version 1.4.2 is used on purpose: its gv and its genic variances are right for epistatic traits, where 2.0-2.1
# have two bugs (gv of traits on different QTL sets; average effect of a pair's second locus). Each case holds the
# founders' haplotypes, every trait's QTL and effects, and what AlphaSimR computes from them.
suppressMessages({library(AlphaSimR); library(jsonlite)})
out = commandArgs(trailingOnly = TRUE)[1]

rows = function(m) apply(m, 1, paste, collapse = "")

trait_record = function(trait) {
  record = list(class = class(trait)[1], lociPerChr = I(trait@lociPerChr), lociLoc = trait@lociLoc,
                addEff = trait@addEff, intercept = trait@intercept)
  if (.hasSlot(trait, "domEff")) record$domEff = trait@domEff
  if (.hasSlot(trait, "epiEff")) {
    record$epiEff_i = trait@epiEff[, 1]
    record$epiEff_j = trait@epiEff[, 2]
    record$epiEff_e = trait@epiEff[, 3]
  }
  record
}

save_case = function(name, seed, founder, add_traits, ...) {
  SP <<- SimParam$new(founder)
  SP$nThreads = 1L
  add_traits(SP)
  pop = newPop(founder, simParam = SP)
  pop = setPheno(pop, ..., simParam = SP)
  param = genParam(pop, simParam = SP)
  do.call(SP$setVarE, lapply(list(...), rep_len, SP$nTraits))
  trait_columns = function(m) unname(lapply(seq_len(ncol(m)), function(k) m[, k]))
  haplotypes = lapply(seq_len(pop@nChr), function(chr) rows(pullSegSiteHaplo(pop, chr = chr, simParam = SP)))
  arguments = list(...)
  case = list(
    name = name, seed = seed, alphasimr = as.character(packageVersion("AlphaSimR")), R = R.version.string,
    phenotypes = arguments, varE = I(SP$varE),
    simParam = list(segSites = I(pop@nLoci), genMap = setNames(lapply(SP$genMap, unname), seq_along(SP$genMap)),
                    traits = lapply(SP$traits, trait_record), varA = I(unname(SP$varA)), varG = I(unname(SP$varG))),
    pops = list(pop = list(
      nInd = pop@nInd, ploidy = pop@ploidy, haplotypes = haplotypes,
      gv = trait_columns(pop@gv), bv = trait_columns(param$bv), dd = trait_columns(param$dd),
      aa = trait_columns(param$aa), varA = unname(param$varA), varD = unname(param$varD),
      varAA = unname(param$varAA), varG = unname(param$varG), genicVarA = I(unname(param$genicVarA)),
      genicVarD = I(unname(param$genicVarD)), genicVarAA = I(unname(param$genicVarAA)),
      genicVarG = I(unname(param$genicVarG)))))
  file = gzfile(file.path(out, paste0(name, ".json.gz")), "w")
  writeLines(toJSON(case, digits = NA, auto_unbox = TRUE, matrix = "rowmajor", null = "null"), file)
  close(file)
}

set.seed(201)
save_case("haploid_scaling", 201, quickHaplo(40, 1, 16, ploidy = 1), function(SP)
  for (r in c(0, 0.1, 0.5, 1, 3)) SP$addTraitAE(16, mean = 0, var = 1, relAA = r, useVarA = FALSE), H2 = 0.999)
set.seed(202)
save_case("haploid_two_qtl_sets", 202, quickHaplo(40, 1, 60, ploidy = 1), function(SP)
  for (r in c(0, 1)) SP$addTraitAE(12, mean = 0, var = 1, relAA = r, useVarA = FALSE), H2 = 0.9999)
set.seed(203)
save_case("haploid_correlated", 203, quickHaplo(40, 1, 20, ploidy = 1), function(SP) {
  G = 0.5 * diag(3) + 0.5
  SP$addTraitAE(20, mean = rep(0, 3), var = rep(1, 3), relAA = rep(1, 3), useVarA = FALSE, corA = G, corAA = G)
}, H2 = 0.999)
set.seed(204)
save_case("diploid_ADE", 204, quickHaplo(40, 2, 15, ploidy = 2), function(SP)
  SP$addTraitADE(8, mean = 10, var = 4, meanDD = 0.3, varDD = 0.2, relAA = 0.5, useVarA = TRUE), h2 = 0.3)
set.seed(205)
save_case("diploid_AD_total_variance", 205, quickHaplo(40, 2, 15, ploidy = 2), function(SP)
  SP$addTraitAD(c(8, 5), mean = 10, var = 4, meanDD = 0.3, varDD = 0.2, useVarA = FALSE), H2 = 0.5)
set.seed(206)
skewed = newMapPop(list(cumsum(c(0.5, rep(0.1, 9))), seq(0, 0.5, length.out = 6)),
                   list(matrix(rbinom(800, 1, rep(c(0.05, 0.2, 0.5, 0.9, 0), each = 160)), nrow = 80),
                        matrix(rbinom(480, 1, 0.3), nrow = 80)), inbred = FALSE, ploidy = 2L)
save_case("diploid_AE_monomorphic", 206, skewed, function(SP)
  SP$addTraitAE(c(10, 4), mean = 3, var = 2, relAA = 2, useVarA = FALSE), varE = 0.7)
set.seed(207)
save_case("diploid_inbred_ADE", 207, quickHaplo(40, 2, 15, ploidy = 2, inbred = TRUE), function(SP)
  SP$addTraitADE(8, mean = 10, var = 4, meanDD = 0.3, varDD = 0.2, relAA = 0.5, useVarA = FALSE), H2 = 0.5)
set.seed(208)
save_case("tetraploid_ADE", 208, quickHaplo(30, 2, 15, ploidy = 4), function(SP)
  SP$addTraitADE(8, mean = 10, var = 4, meanDD = 0.3, varDD = 0.2, relAA = 0.5, useVarA = TRUE), H2 = 0.5)
set.seed(209)
save_case("diploid_A_gamma", 209, quickHaplo(40, 2, 15, ploidy = 2), function(SP)
  SP$addTraitA(8, mean = c(1, 2), var = c(1, 2), corA = matrix(c(1, 0.6, 0.6, 1), 2), gamma = c(TRUE, FALSE),
               shape = 1), H2 = c(0.5, 0.8))
