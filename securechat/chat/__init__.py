"""The chat, without I/O: envelopes in, effects out.

`hub` decides, with `greeting` for who comes in, `drafts` for what is said and `commands` for what
is asked; `identities`, `presence` and `direct` keep who is who, who is where and who talks with
whom; `effects` is the vocabulary of decisions. No socket, no clock, no file, no lock.
"""
