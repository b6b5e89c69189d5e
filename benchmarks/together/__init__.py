"""Learning together: eight caches that share what they learn, and eight that do not."""
