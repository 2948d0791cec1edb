"""The web hook receiver: `speechops receiver` is told of pushes, blobs and finished jobs, and forgets none of them.

A delivery is verified, stored durably, and only then acknowledged. What it sets going is read from the `Outbox`
afterwards; nothing is started while a sender waits.
"""
