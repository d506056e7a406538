"""Long measurements with make targets of their own; each prints ratios measured within one run."""
