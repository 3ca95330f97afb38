"""Pictures for people: sheets of galaxies, how predictions compare with labels, how a training went."""
