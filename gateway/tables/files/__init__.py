"""The formats that tables come in: recognised by their content, unpacked and read row by row."""
