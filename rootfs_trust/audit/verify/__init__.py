"""Would a client of the device trust this server? Judged offline, from a saved chain and what the client would read."""
