"""The model that travels: predictions of new samples, whoever genotyped them, with an account."""

from gpatlas.predictor.predictor import Prediction, Predictor, make_predictor
from gpatlas.predictor.saving import MODEL_SUFFIX, load_predictor, save_predictor

__all__ = ["MODEL_SUFFIX", "Prediction", "Predictor", "load_predictor", "make_predictor", "save_predictor"]
