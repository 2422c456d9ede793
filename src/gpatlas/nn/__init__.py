"""Torch modules: tensors in, tensors out. No files, no scikit-learn, no training."""
