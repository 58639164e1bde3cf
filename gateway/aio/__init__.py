"""The gateway's shell: it drives the pure rules with sockets' events, timers and the journal."""
