"""Language runtimes and applications that keep a trust store of their own."""
