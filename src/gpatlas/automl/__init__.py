"""AutoML: candidates compete on one trait, and the report says which predicts best, by how much, and why."""
