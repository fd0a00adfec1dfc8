"""How quotes come about and which of them tell the most."""
