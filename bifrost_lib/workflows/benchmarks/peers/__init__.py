"""The libraries that one would otherwise pick, run on our arrays in an environment of their own."""
