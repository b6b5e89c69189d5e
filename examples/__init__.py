"""Worked applications of augury."""
