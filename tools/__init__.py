"""What the tests, the benchmarks and the Makefile share: finding Chromium, running the app."""
