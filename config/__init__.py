"""Settings of the gateway: read once at start from a TOML file and the environment."""
