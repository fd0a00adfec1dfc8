"""The GPU machine: what proves that it computes the same as the processor."""
