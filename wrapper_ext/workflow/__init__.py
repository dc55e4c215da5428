"""Saved workflows: a model of them, the patterns of existing SVI graphs, and their migration."""
