"""The TWS protocol in text: frames, and a declared layout for every message at every version."""
