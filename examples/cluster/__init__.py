"""A cluster of three nodes under a load that drifts: near cache, forecast, plan, and its execution.

python -m examples.cluster
"""
