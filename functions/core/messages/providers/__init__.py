"""Providers of SMS, one module each, with `send_sms(to, text)` and `prepare()`; imported only when configured."""
