"""Option history as flat arrays: the chain cube, how frames become one, and what it knows of earnings."""
