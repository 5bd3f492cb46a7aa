"""CAPTCHA: strangers show that they are people before anything is sent for them."""
