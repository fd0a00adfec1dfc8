"""JupyterHub: who may log in, what each role may open, and how the hub and its proxy are set up."""
