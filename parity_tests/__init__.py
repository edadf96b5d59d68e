"""The only package that sees both sides: cases, referees, bounds and the comparison."""
