"""What is held: the names of positions, the strategies in a portfolio, and when to end one."""
