"""The tables of the market floor come with its rounds."""
