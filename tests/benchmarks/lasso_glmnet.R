# A five-fold LASSO path by glmnet, timed: Rscript lasso_glmnet.R FOLDER, which holds x.bin (int8), y.txt, qtl.txt
suppressMessages(library(glmnet))
folder <- commandArgs(TRUE)[1]
y <- scan(file.path(folder, "y.txt"), quiet = TRUE)
qtl <- scan(file.path(folder, "qtl.txt"), quiet = TRUE)
size <- file.size(file.path(folder, "x.bin"))
x <- matrix(as.double(readBin(file.path(folder, "x.bin"), "integer", size, size = 1)), nrow = length(y), byrow = TRUE)
start <- proc.time()
effects <- coef(cv.glmnet(x, y, nfolds = 5), s = "lambda.min")[-1]
used <- proc.time() - start
kept <- which(effects != 0)
cat(sprintf('{"seconds": %f, "kept": %d, "causal": %d}\n', used[1] + used[2], length(kept), sum((qtl + 1) %in% kept)))
