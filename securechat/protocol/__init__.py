"""The wire, without I/O: bytes in, typed envelopes out, and the other way round.

`framing` cuts the stream, `envelopes` is the door to all that may be said (`commands` and `events`,
made of `values`), `codec` turns one payload into one envelope, `connection` keeps the state of one
connection. Nothing here knows sockets or clocks.
"""
