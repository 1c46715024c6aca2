"""The page: what a browser shows and runs, and how its files are kept ready to be sent."""
