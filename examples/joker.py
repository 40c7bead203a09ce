"""A teller of jokes: `!joke` tells one, `!joke 3` the third."""

import random

from securechat import Bot, Context

JOKES = (
    "There are 10 kinds of people: those who count in binary, and those who do not.",
    "A socket walks into a bar. The bar is full, so it waits for the backlog.",
    "I would tell you a joke about UDP, but you might not get it.",
    "Why do programmers mix up Halloween and Christmas? Because oct 31 is dec 25.",
)

bot = Bot("joker")


@bot.command("joke")
def joke(_context: Context, number: int | None = None) -> str:
    """Tell a joke."""
    if number is None:
        return random.choice(JOKES)
    if not 1 <= number <= len(JOKES):
        return f"I know {len(JOKES)} jokes."
    return JOKES[number - 1]


if __name__ == "__main__":
    bot.run()
