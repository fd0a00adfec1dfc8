"""What traders see: pages in `voila/` and `panel/`, listed in `registry.yaml` and served by `serve.py`."""
