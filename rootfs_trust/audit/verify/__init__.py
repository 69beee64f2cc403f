"""Evaluate offline whether a client would trust a server, from a saved chain and the files that the client reads."""
