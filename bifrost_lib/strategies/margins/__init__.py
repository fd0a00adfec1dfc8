"""What a structure ties up under Regulation T and the rules of the exchanges."""
