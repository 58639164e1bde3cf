"""What survives a restart: the schema, the one writer, and one repository per noun."""
