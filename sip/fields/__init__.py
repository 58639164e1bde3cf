"""Owns the typed values of SIP header fields (RFC 3261 §20), one file per family."""
