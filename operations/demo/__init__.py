"""The demo: everything from nothing, on real video."""
