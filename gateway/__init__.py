"""The gateway: from a target to the inclination of its galaxy. It never imports TensorFlow's runtime."""
