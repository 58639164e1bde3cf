"""SDP: reading, writing, keys, and offer/answer for a relay."""
