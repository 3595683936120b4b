"""Documents of the project, and the picture in them."""
