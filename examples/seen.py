"""Knows who said something last, and when: `!seen ann`."""

from securechat import Bot, Context, Message

bot = Bot("seen")
last: dict[str, Message] = {}


@bot.on_message
def remember(context: Context) -> None:
    if not context.message.is_direct:
        last[context.message.sender.casefold()] = context.message


@bot.command("seen")
def seen(context: Context, nick: str) -> str:
    """When somebody last said something in a room."""
    found = last.get(nick.casefold())
    if found is None:
        return "Not since I am here."
    ago = context.message.time - found.time
    return f"{found.sender} said something in {found.conversation} {ago.seconds} s ago."


if __name__ == "__main__":
    bot.run()
