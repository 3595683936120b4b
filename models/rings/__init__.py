"""Rings: communities of links, classified, named, and kept the same from night to night."""
