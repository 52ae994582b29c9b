"""Where responses are kept: what each backend takes, for the backends of all faces."""
