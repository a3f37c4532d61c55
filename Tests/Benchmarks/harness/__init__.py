"""The benchmark's parts: how costs are measured, what is measured, and how it is told."""
