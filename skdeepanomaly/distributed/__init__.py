"""Training from more rows than fit into memory, chunk by chunk."""

from ._fit import fit_chunks

__all__ = ["fit_chunks"]
