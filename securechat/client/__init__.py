"""The client's side: what to say and what was heard, without a screen.

`session` decides, `client` carries it over the network, `timeline` keeps what a front end draws,
`harmless` makes foreign text safe to draw. Front ends use these and never touch a socket.
"""
