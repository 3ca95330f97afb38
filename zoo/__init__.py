"""Labels by people, who measure galaxies among standards of known inclination on a web page."""
