"""The rules of HTTP caching as pure functions, one file for each section of RFC 9111."""
