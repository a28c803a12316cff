"""What the Makefile calls; standard library only."""
