"""What a gateway answers: with units, as rows of a table, as a picture."""
