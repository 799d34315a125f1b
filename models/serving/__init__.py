"""The inference worker: one per GPU, batching over all clients."""
