"""The information bottleneck and its relatives: keep what the task needs, at a price in nats for all that passes."""
