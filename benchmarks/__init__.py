"""Benchmarks: scripts that measure, JSON in results/, tables in RESULTS.md.

``make bench`` measures everything anew and renders; see run.py for the parts.
"""
