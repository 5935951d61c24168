"""Messages: post, recall, delete, react, history, search, the files of pictures."""
