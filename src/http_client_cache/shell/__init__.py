"""The only folder that touches the world: drivers, connections, workers, locks, the log."""
