"""The file formats of tables: recognised by their content, unpacked and read row by row."""
