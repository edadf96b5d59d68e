"""check_gradient: is this gradient right? For any scalar NumPy function of one or several arrays."""
