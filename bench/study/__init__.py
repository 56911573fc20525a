"""How often intervals hold the true value: of agreement (here), of comparisons (below). `make study` runs both."""
