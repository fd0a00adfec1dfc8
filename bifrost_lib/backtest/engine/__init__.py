"""The simulation: tables of numbers, the compiled loops that read them, and what makes them of documents and cubes."""
