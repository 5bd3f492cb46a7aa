"""Messages: what is sent to people, and by which provider."""
