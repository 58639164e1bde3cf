"""Makes, loads and checks certificates; the files themselves live in the state directory."""
