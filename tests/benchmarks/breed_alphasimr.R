# Rscript breed_alphasimr.R PARENTS PROGENY CHROMOSOMES SITES: CPU seconds of AlphaSimR's randCross, the least of 10
suppressMessages(library(AlphaSimR))
size <- as.integer(commandArgs(trailingOnly = TRUE))
founders <- quickHaplo(size[1], size[3], size[4], genLen = 1, ploidy = 2)
SP <- SimParam$new(founders)
SP$nThreads <- 1L
SP$setTrackPed(TRUE)
parents <- newPop(founders)
for (i in 1:3) randCross(parents, size[2])
seconds <- replicate(10, {
  gc() # rubbish of earlier rounds is not this one's
  sum(system.time(randCross(parents, size[2]), gcFirst = FALSE)[1:2])
})
cat(min(seconds), "\n")
