"""VCF, PLINK and tskit files: read a block of loci at a time, and written."""
