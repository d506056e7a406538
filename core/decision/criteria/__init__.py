"""Criteria, one file each."""
