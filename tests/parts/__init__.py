"""The real parts that tests run against: each listens on 127.0.0.1 on a free port, and ends with the test session."""
