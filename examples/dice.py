"""Dice for a table of players: `!roll`, `!roll 3`, `!roll 2 20 highest`."""

import random
from typing import Literal

from securechat import Bot, Context

bot = Bot("dice")


@bot.command("roll")
def roll(
    context: Context, dice: int = 1, sides: int = 6, keep: Literal["all", "highest"] = "all"
) -> str:
    """Roll dice, and keep all of them or the highest."""
    if not (1 <= dice <= 100 and 2 <= sides <= 1_000):
        return "I have 100 dice, of 2 to 1000 sides."
    thrown = [random.randint(1, sides) for _ in range(dice)]
    result = max(thrown) if keep == "highest" else sum(thrown)
    shown = f" ({', '.join(map(str, thrown))})" if dice > 1 else ""
    return f"{context.message.sender} rolls {result}{shown}"


if __name__ == "__main__":
    bot.run()
