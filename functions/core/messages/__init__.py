"""Messages to people and the providers that send them."""
