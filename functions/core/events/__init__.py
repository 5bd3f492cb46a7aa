"""Events: what happened here, told to a server of the app's own as Standard Webhooks (standardwebhooks.com)."""
