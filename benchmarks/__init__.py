"""What the cache costs: ``python -m benchmarks --help``."""
