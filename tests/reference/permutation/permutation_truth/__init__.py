"""Permutation tests by brute force, the cases they are shown on, and the package by its public doors."""
