"""Pixels and text → scores; the only home of torch. Importing the package imports nothing."""
