"""SMS providers: a module each with `send_sms` and `prepare`, imported only when configured."""
