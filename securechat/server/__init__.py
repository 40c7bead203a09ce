"""The server put together: threads, queues, start and stop. `app.run` is what `serve` calls."""
