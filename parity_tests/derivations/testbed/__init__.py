"""Wrong formulas with the mistake that was made in each, on which verify is measured."""
