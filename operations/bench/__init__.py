"""Speed and memory, each measured beside its baseline in the same run; ratios are what counts."""
