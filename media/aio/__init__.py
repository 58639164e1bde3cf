"""The shells of `media`: engines that own sockets."""
