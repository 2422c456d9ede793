# One population from AlphaSimR, as gpatlas.simulate.alphasimr wants it. The order of calls is that of the published
# scripts, so that the same seed, R and AlphaSimR draw the same numbers.
words_of = function(raws) {  # rpy2 views integers without copying, but not raw bytes
  padding = raw(-length(raws) %% 4L)
  list(dim = dim(raws), words = readBin(c(as.vector(raws), padding), "integer", n = length(raws), endian = "little"))
}

gpatlas_simulate = function(spec) {
  set.seed(spec$seed)
  founders = AlphaSimR::quickHaplo(nInd = spec$n_individuals, nChr = length(spec$sites), segSites = spec$sites,
                                   genLen = spec$genetic_length, ploidy = spec$ploidy, inbred = spec$inbred)
  SP = AlphaSimR::SimParam$new(founders)
  SP$nThreads = 1L
  for (trait in spec$traits) {
    call = SP[[paste0("addTrait", trait$type)]]
    do.call(call, trait$arguments)
  }
  pop = AlphaSimR::newPop(founders, simParam = SP)
  # AlphaSimR 2.0-2.1 evaluates traits on different QTL sets wrongly in newPop; getGv, trait by trait, is right
  pop@gv[] = vapply(SP$traits, function(trait) AlphaSimR:::getGv(trait, pop, 1L)[[1]][, 1], numeric(pop@nInd))
  arguments = c(list(pop), spec$phenotypes, list(simParam = SP))
  pop = do.call(AlphaSimR::setPheno, arguments)
  slot_or = function(trait, name, other) if (methods::.hasSlot(trait, name)) methods::slot(trait, name) else other
  list(
    version = as.character(utils::packageVersion("AlphaSimR")), R = R.version.string,
    bits = lapply(founders@geno, words_of), gv = pop@gv, pheno = pop@pheno, map = unname(SP$genMap),
    traits = lapply(SP$traits, function(trait) list(
      loci_per_chromosome = trait@lociPerChr, loci = trait@lociLoc, additive = trait@addEff,
      intercept = trait@intercept, dominance = slot_or(trait, "domEff", numeric(0)),
      epistatic = slot_or(trait, "epiEff", matrix(0, 0, 3)), slope_effects = slot_or(trait, "gxeEff", numeric(0)),
      slope_intercept = slot_or(trait, "gxeInt", 0), env_variance = slot_or(trait, "envVar", 1)))
  )
}
