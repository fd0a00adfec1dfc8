"""Live pages that many people look at together: one process, one feed, and little memory for each viewer."""
