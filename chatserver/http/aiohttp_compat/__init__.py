"""Every private part of aiohttp that the server relies on, one file each."""
