"""What a user has chosen for good: `config.toml`, the environment above it, as frozen values.

    settings = load()                       # the user's file or $SECURECHAT_CONFIG, SECURECHAT_*
    settings.ui.bell                        # "mentions"
    settings.connecting("work").server      # "chat.work.example"
    save(settings.path, "ui", bell="all")   # whatever else stands in the file stays as it is

Raised is `SettingsError`: one line that names the file, the line and the key, and says the cure.
Nothing heavy is imported: shell completion reads this, too.
"""

from .file import chosen_path, default_path, load, save
from .model import Connect, Serve, Settings, Ui

__all__ = ["Connect", "Serve", "Settings", "Ui", "chosen_path", "default_path", "load", "save"]
