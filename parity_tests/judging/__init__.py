"""How far two correct computations may differ, the verdict on two arrays, and the complex step."""
