"""The networks: what turns tensors into logits."""
