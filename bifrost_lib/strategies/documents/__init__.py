"""The strategy document: its parts, its words, and how it is read and written."""
