"""INVITE sessions: transaction, dialog and ACK duties as one thing (RFC 3261 §13 to §15)."""
