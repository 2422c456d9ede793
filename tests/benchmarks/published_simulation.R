# The published way to a simulated data set: five AE traits on haploid founders, written as text tables.
#   Rscript published_simulation.R N_SAMPLES N_QTL SEED STEM
suppressMessages(library(AlphaSimR))
arguments = commandArgs(trailingOnly = TRUE)
n = as.numeric(arguments[1]); q = as.numeric(arguments[2]); stem = arguments[4]
set.seed(as.numeric(arguments[3]))
founders = quickHaplo(nInd = n, nChr = 1, segSites = q, ploidy = 1)
SP = SimParam$new(founders)
for (r in c(0, 0.1, 0.5, 1, 3)) SP$addTraitAE(nQtlPerChr = q, mean = 0, var = 1, relAA = r, useVarA = FALSE)
pop = setPheno(newPop(founders), H2 = 0.999)

save_table = function(table, part)
  write.table(table, paste0(stem, "_", part, ".txt"), quote = FALSE, row.names = FALSE)

save_table(data.frame(ind = pop@id, pheno(pop)), "p")
alleles = pullSegSiteHaplo(pop)
frequency = colMeans(alleles)
save_table(do.call(rbind, lapply(seq_len(SP$nTraits), function(k) {
  trait = SP$traits[[k]]
  pairs = trait@epiEff
  both = rbind(pairs, pairs[, c(2, 1, 3)])
  both = both[order(both[, 1]), ]
  data.frame(trait = k, locus = trait@lociLoc, add_eff = trait@addEff, epi_loc = both[, 2], epi_eff = both[, 3],
             sfs = frequency)
})), "eff")
genotypes = as.data.frame(t(alleles))
save_table(cbind(qtl = rownames(genotypes), genotypes), "g")
