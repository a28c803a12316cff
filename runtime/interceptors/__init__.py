"""What wraps the calls of an endpoint: compiled once, when its bundle is loaded, into calls within calls.

Hooks of one kind are a Link (link.py); `chain.build` nests them around a call. What each kind does has a file of its own.
"""
