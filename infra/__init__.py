"""What builds, deploys and runs the stack. Nothing in here ships."""
