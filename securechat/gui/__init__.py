"""The window, on tkinter: `securechat gui`.

`look`, `pieces`, `page`, `sides` and `keys` are values and functions, `model` puts them together;
none of them knows Tk, and the widgets around them are thin. Only the main thread calls Tk.
"""
