"""The full screen, on Textual: a front end over `client`; `app.run` starts it."""
