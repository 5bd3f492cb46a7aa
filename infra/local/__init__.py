"""The local stack: template.yaml itself, deployed into an AWS emulator on this machine."""
