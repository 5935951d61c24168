"""The code that relies on private parts of aiohttp, one file for each purpose."""
