"""Language runtimes and applications that have a separate trust store."""
