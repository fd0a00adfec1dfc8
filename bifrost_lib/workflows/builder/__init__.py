"""What a trader builds: any structure on a chain, its scenarios, and what becomes of it."""
