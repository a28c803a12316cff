"""Small real servers that stand in for services on the internet; tests script what they say."""
