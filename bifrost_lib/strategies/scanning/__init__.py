"""From a chain and a document to ranked candidates, and from a view to the structures that serve it."""
