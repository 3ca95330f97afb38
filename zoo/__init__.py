"""Labels by people, who measure galaxies on a web page by comparison with standards of known inclination."""
