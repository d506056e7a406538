"""The metrics, one file each; found by `core.measures.METRICS`."""
