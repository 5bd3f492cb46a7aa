"""Events: notifications to the app's own server, as Standard Webhooks (standardwebhooks.com)."""
