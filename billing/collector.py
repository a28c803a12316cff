"""Python's collector in processes that serve: what was loaded at the start is not looked at again and again."""

import gc


def settle() -> None:
    """Call it when all is loaded. A collection over everything takes 60 ms, and came with every few hundred calls."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
