"""What the cache does to large bodies: memory, first byte, delay of the loop, throughput."""
