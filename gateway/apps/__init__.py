"""The built-in applications: what the gateway itself can be called for, decided without IO."""
