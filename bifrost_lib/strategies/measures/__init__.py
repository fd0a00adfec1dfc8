"""What any legs can make and lose, how likely, what they are exposed to, and what they are worth before they expire."""
