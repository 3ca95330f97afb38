"""The input of a batch: tables, folders of images and model inputs, recognised by their content and partitioned."""
