"""The chat, without I/O: envelopes in, effects out.

`hub` decides, with `greeting` for who comes in, `drafts` for what is said, `commands` for what is
asked (of it `sanctioning` and `ruling` for what takes a right, which `judge` grants) and `endings`
for who goes; `identities`, `presence` and `direct` keep who is who, who is where and who talks with
whom; `restoring` and `sweeping` begin and tidy that. `effects` is the vocabulary of decisions. No
socket, no clock, no file, no lock.
"""
