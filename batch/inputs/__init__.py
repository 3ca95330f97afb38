"""What is asked: tables, folders of images and model inputs, recognised by their content and cut into partitions."""
