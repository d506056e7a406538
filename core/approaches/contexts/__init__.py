"""The contexts, one file each; found by `core.approaches.CONTEXTS`."""
