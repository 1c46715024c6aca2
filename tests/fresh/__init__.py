"""What a newcomer meets: the project on Debians that have nothing but git, make, curl and certificates."""
