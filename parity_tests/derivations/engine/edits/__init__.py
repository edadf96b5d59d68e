"""Small changes of a statement: what people are likely to have meant, out of what their forward pass says."""
