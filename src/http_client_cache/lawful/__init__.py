"""How a request flows where RFC 9111 decides (``cache_control=True``).

``serve`` is the story. ``find`` looks for what is stored, ``respond`` makes the response of it,
``fetch`` asks the origin, ``keep`` stores the answer, ``invalidate`` deletes what unsafe requests
outdate, and ``weigh`` is where house rules and law meet.
"""
