"""Image scores -> which images to keep; and selections side by side."""
