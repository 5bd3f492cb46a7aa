"""The local stack: template.yaml, deployed into an AWS emulator on this machine."""
