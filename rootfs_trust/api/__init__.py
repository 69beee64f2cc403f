"""The verbs, as functions: one module each. Only here is the clock read; everything below is given the time."""
