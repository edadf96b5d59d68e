"""The engine's second source: Python programs, instrumented, and run on every kind of numbers."""
