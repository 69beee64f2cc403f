"""Edit a TOML file in place: comments, order and the spelling of what is not edited stay."""
