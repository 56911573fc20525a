"""How often the agreement intervals hold the true value: scenarios, simulation, tables. `make study` runs it."""
