"""A caching engine for HTTP clients; it imports none of them."""
