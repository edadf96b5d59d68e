"""What both packages share around their formulas: the loop of training, settings, command lines. No formula."""
