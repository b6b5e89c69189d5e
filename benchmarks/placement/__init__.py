"""Forecasts of load by slot, and slots placed by them, on paper and on a real cluster."""
