"""The gateway: measures the inclination of a target's galaxy. It never imports TensorFlow's runtime."""
