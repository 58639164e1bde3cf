"""The shell of the SIP core: sockets, connections, time."""
