"""The eight steps of N3, as both packages take them. No formula."""
