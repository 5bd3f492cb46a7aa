"""Commands that build, deploy and run the stack. Nothing in here ships."""
