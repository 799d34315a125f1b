"""The vocabulary: what the stages say to each other."""
