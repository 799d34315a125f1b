"""The loop that trains a model again when people labelled enough, or what comes in has moved."""
