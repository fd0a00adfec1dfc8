"""What trades and equity amount to: figures, their confidence, where profit came from, and in which regimes."""
