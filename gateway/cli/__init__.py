"""The `sipgw` command, one module per group."""
