"""The chat, without I/O: envelopes in, effects out.

`hub` decides, `commands` says how each command is decided, `identities` and `room` keep who is who
and who is where, `effects` is the vocabulary of decisions. No socket, no clock, no file, no lock.
"""
