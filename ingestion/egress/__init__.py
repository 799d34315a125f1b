"""The one gate out: whatever leads outside passes here, and nowhere else."""
