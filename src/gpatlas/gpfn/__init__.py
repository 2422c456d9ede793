"""Training of prior-data fitted networks: draws of a prior, on the fly, from a cache or from a queue; and the loop."""
