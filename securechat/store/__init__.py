"""Databases: one interface in `base`, one file for each that keeps it."""
