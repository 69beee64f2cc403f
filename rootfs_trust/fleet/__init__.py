"""The same job on very many targets: what is to do, who does it, what is done already. Knows the API, no command."""
