"""Proof by ordeal: a private server is killed and its links are cut, and then the books are read.

`ledger` judges what clients saw against what was stored; `proxy` cuts links at a chosen byte;
`process` starts, kills and reads a real server; `swarm` drives many clients at once; `ordeal` puts
them together for `securechat torture` and for the suites in tests/gauntlet.
"""
