"""Sockets and TLS: accepting, reading, fanning out. Knows connections and bytes, not the chat."""
