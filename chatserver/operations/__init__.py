"""What an operator does with the whole room: back it up, restore it, export it, have it examined."""
