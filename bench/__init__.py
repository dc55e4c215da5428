"""How fast the pack is and how much memory it takes, against what people use today: `python -m bench`."""
