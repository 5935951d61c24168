"""The benchmark: the real server, its real database, and the floors it is compared with.

`python -m tests.bench` in the checkout runs every row; docs/performance.md says what each means.
Not part of the test run: nothing here is named `test_…`.
"""
