"""What the course shows: situations and lessons, each with a claim that a test checks by running it."""
