"""The public API for scripts and bots, on top of `client`; use it as `securechat.connect`, `.Bot`.

    values.py     what scripts and bots see: frozen dataclasses
    chat.py       `connect` and `Chat`: blocking calls, for scripts
    arguments.py  what follows a command, converted by type hints
    bot.py        `Bot`: what a bot answers to, and how it runs
    dispatch.py   one event in, the right handler called; whatever it raises is logged
    lanes.py      handlers in a few threads, those of one conversation one after the other
    process.py    a bot as a process: signals, one line on stderr, exit codes

The guide is docs/sdk.md.
"""
