"""RTP, SRTP and SDP: everything between two media addresses, without knowing what a call is."""
